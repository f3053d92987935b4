% Mean rate of every cell type, from the folder of `neostriatum export RUN --to csv --out tables`.
folder = 'tables';
file = fopen(fullfile(folder, 'neurons.csv'));
names = strsplit(strtrim(fgetl(file)), ',');
cells = textscan(file, repmat('%s', 1, numel(names)), 'Delimiter', ',');
fclose(file);
types = cells{strcmp(names, 'type')};
file = fopen(fullfile(folder, 'spikes.csv'));
names = strsplit(strtrim(fgetl(file)), ',');
spikes = textscan(file, repmat('%s', 1, numel(names)), 'Delimiter', ',');
fclose(file);
of_spikes = spikes{strcmp(names, 'type')};
last_s = max(str2double(spikes{strcmp(names, 'time_ms')})) / 1000;
for name = unique(types)'
  n = sum(strcmp(types, name{1}));
  fprintf('%s %d neurons, %.2f Hz until the last spike\n', name{1}, n, sum(strcmp(of_spikes, name{1})) / n / last_s);
end
