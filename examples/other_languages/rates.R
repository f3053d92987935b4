# Mean rate of every cell type, from the folder of `neostriatum export RUN --to csv --out tables`.
neurons <- read.csv("tables/neurons.csv")
spikes <- read.csv("tables/spikes.csv")
last_s <- max(spikes$time_ms) / 1000
counts <- table(factor(spikes$type, levels = unique(neurons$type)))
for (name in names(counts)) {
  n <- sum(neurons$type == name)
  cat(sprintf("%s %d neurons, %.2f Hz until the last spike\n", name, n, counts[[name]] / n / last_s))
}
