# One image for `serve` and `work`:  docker run ... poc-governor [serve | work | doctor | ...]

FROM python:3.12-slim-bookworm AS builder
RUN pip install --no-cache-dir uv==0.13.9
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never
WORKDIR /app
COPY pyproject.toml uv.lock ./
RUN uv sync --locked --no-dev --extra serve --no-install-project \
    && uv export --quiet --locked --no-dev --extra serve --format cyclonedx1.5 --preview-features sbom-export \
       --output-file sbom.cdx.json
COPY README.md LICENSE app-manifest.yml ./
COPY templates templates
COPY docs docs
COPY service service
RUN uv sync --locked --no-dev --extra serve

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10001 --create-home --shell /usr/sbin/nologin governor \
    && install --directory --owner=governor --group=governor --mode=0700 /data
COPY --from=builder /app /app
COPY --chmod=0755 docker-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 DATA_DIR=/data HOST=0.0.0.0 PORT=8080
WORKDIR /app
VOLUME /data
EXPOSE 8080
# `work` answers no HTTP, and is well as long as it runs.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s CMD ["python", "-c", "import http.client, os, sys; web = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=4); serving = b'serve' in open('/proc/1/cmdline', 'rb').read().split(bytes(1)); sys.exit(serving and (web.request('GET', '/healthz') or web.getresponse().status != 200))"]
# No USER: the entrypoint hands the volume to `governor` and then becomes it.
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["serve"]
