# Spikes of dSPN cells from the file of a run.
library(hdf5r)
file <- H5File$new("runs/0001/spikes.h5", mode = "r")
times_ms <- file[["spikes/dSPN/timestamps"]]$read()
ids <- file[["spikes/dSPN/node_ids"]]$read()
cat(sprintf("dSPN %d spikes, the last at %.1f ms\n", length(times_ms), max(times_ms)))
file$close_all()
