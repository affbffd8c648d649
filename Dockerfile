# One image for every hub process: Airflow's components, `amihub serve`, and the command line.
FROM python:3.11-slim-bookworm

RUN apt-get update \
 && apt-get install -y --no-install-recommends gnupg tini \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 amihub

WORKDIR /opt/amihub
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes --no-deps -r requirements.lock
COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation . \
 && mkdir -p /etc/amihub/var /opt/airflow && chown amihub /etc/amihub/var /opt/airflow

USER amihub
ENV AMIHUB_SITE=/etc/amihub/site.toml AIRFLOW_HOME=/opt/airflow
ENTRYPOINT ["tini", "--"]
CMD ["amihub", "serve"]
