# syntax=docker/dockerfile:1
# The hub with its bundled plugins. It runs as a number, writes to /hub/data alone, and needs no other right.
FROM python:3.13-slim AS build
ARG COMMIT=""
ENV PM_HUB_COMMIT=$COMMIT PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY . .
RUN python -m venv /opt/hub \
    && /opt/hub/bin/pip install --no-cache-dir -c constraints.txt . \
    plugins/demo plugins/files plugins/grafana plugins/hub plugins/jira plugins/msproject plugins/papers plugins/postgresql \
    plugins/powerbi plugins/redmine plugins/rest plugins/serve plugins/tableau plugins/tabular plugins/taskworld

FROM python:3.13-slim
COPY --from=build /opt/hub /opt/hub
# the cache of plugins and scratch lie in /tmp: with a read-only root it is a tmpfs
ENV PATH=/opt/hub/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PYTHONUTF8=1 \
    HOME=/tmp PM_HUB_CACHE=/tmp/pm-hub HUB_CONFIG=/hub/config/hub.toml
WORKDIR /hub
RUN install -d -o 10001 -g 10001 /hub/data /hub/config /hub/grafana
USER 10001:10001
VOLUME /hub/data
STOPSIGNAL SIGTERM
# 1 before the first run, and when no source was read for long
HEALTHCHECK --interval=15m --timeout=2m --start-period=30m --retries=2 CMD ["hub", "status", "--json"]
ENTRYPOINT ["hub"]
CMD ["schedule", "run", "--now"]
