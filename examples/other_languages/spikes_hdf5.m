% Spikes of dSPN cells from the file of a run, in Octave.
file = load('-hdf5', 'runs/0001/spikes.h5');
times_ms = file.spikes.dSPN.timestamps;
ids = file.spikes.dSPN.node_ids;
fprintf('dSPN %d spikes, the last at %.1f ms\n', numel(times_ms), max(times_ms));
