# syntax=docker/dockerfile:1

FROM python:3.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/ocp-gateway
COPY requirements/runtime.lock requirements/build.lock requirements/
RUN /opt/ocp-gateway/bin/pip install --require-hashes -r requirements/runtime.lock \
    && python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes -r requirements/build.lock
COPY pyproject.toml README.md LICENSE ./
COPY gateway gateway
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /dist . \
    && /opt/ocp-gateway/bin/pip install --no-deps --no-index /dist/*.whl \
    && /opt/ocp-gateway/bin/pip uninstall --yes pip

FROM python:3.13-slim-bookworm
LABEL org.opencontainers.image.title="OCP Gateway" \
      org.opencontainers.image.licenses="Apache-2.0"
# Bytecode is compiled at build time, so the root file system can be mounted read-only: what is written
# goes into /var/lib/ocp-gateway, the working directory (contexts in SQLite, copies of descriptions), and /tmp
# (large results). The shell of the base image is used by the build only.
ENV PATH=/opt/ocp-gateway/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
COPY --from=build /opt/ocp-gateway /opt/ocp-gateway
RUN install --directory --owner=65532 --group=65532 --mode=0700 /var/lib/ocp-gateway
WORKDIR /var/lib/ocp-gateway
VOLUME /var/lib/ocp-gateway
USER 65532:65532
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ.get('OCP_GATEWAY_SERVER__PORT', '8080') + '/healthz', timeout=2)"]
ENTRYPOINT ["ocp-gateway"]
CMD ["serve", "/etc/ocp-gateway/gateway.yaml"]
