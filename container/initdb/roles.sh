#!/bin/sh
# The hub's account owns the schema of the feed; Grafana's reads what the hub lets it read.
set -eu
hub=$(cat /run/secrets/hub_database)
grafana=$(cat /run/secrets/grafana_database)
psql --set=ON_ERROR_STOP=1 --username=postgres --dbname=reporting --set=hub="$hub" --set=grafana="$grafana" <<'SQL'
CREATE ROLE pmhub LOGIN PASSWORD :'hub';
CREATE ROLE grafana LOGIN PASSWORD :'grafana';
CREATE SCHEMA feed AUTHORIZATION pmhub;
SQL
