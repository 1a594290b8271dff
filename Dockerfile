# The workflow and the hashgnn command. Build and run in the project's folder:
#   docker build -t hashgnn .
#   docker run --rm -v "$PWD/out:/out" hashgnn snakemake -j8 figures/fig3.pdf --config workdir=/out
# With --gpus all, trainings use the GPU: the lock's torch comes from PyPI with CUDA for x86-64.
FROM python:3.11-slim-bookworm

# OpenMP, for implicit; whichever version Debian has.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/*

# Any user may run it, whether or not there is a home: for Snakemake, matplotlib and compiled kernels.
ENV XDG_CACHE_HOME=/tmp/cache XDG_CONFIG_HOME=/tmp/config

WORKDIR /opt/hashgnn
COPY requirements.lock ./
RUN pip install --no-cache-dir -r requirements.lock
COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable .

CMD ["hashgnn", "--help"]
