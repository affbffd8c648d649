#!/bin/sh
# Make the hub's and Airflow's databases and owners on a new PostgreSQL.
set -eu
psql -v ON_ERROR_STOP=1 -U postgres \
  -v hub="$AMIHUB_DATABASE_PASSWORD" -v airflow="$AIRFLOW_DATABASE_PASSWORD" <<'SQL'
CREATE ROLE amihub LOGIN PASSWORD :'hub';
CREATE DATABASE amihub OWNER amihub;
CREATE ROLE airflow LOGIN PASSWORD :'airflow';
CREATE DATABASE airflow OWNER airflow;
SQL
