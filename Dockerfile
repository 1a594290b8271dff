# Image with the workflow and the hashgnn command. Build and run it in the project's folder:
#   docker build -t hashgnn .
#   docker run --rm -v "$PWD/out:/out" hashgnn snakemake -j8 figures/fig3.pdf --config workdir=/out
# With --gpus all, training uses the GPU (the locked torch includes CUDA on x86-64).
FROM python:3.11-slim-bookworm

# OpenMP, for the package implicit.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/*

# Writable caches for Snakemake, matplotlib and compiled kernels, for users without a home folder.
ENV XDG_CACHE_HOME=/tmp/cache XDG_CONFIG_HOME=/tmp/config

WORKDIR /opt/hashgnn
COPY requirements.lock ./
RUN pip install --no-cache-dir -r requirements.lock
COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable .

CMD ["hashgnn", "--help"]
