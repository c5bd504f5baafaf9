# One image for every process; docker-compose.yml says which command each container runs.
FROM python:3.13-slim-trixie

# pg_dump and pg_restore, for backups of PostgreSQL.
RUN apt-get update -q && apt-get install -q -y --no-install-recommends postgresql-client \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/leafline leafline
WORKDIR /app
COPY requirements.txt requirements-s3.txt ./
RUN pip install --no-cache-dir --requirement requirements.txt --requirement requirements-s3.txt
COPY pyproject.toml README.md LICENSE ./
COPY gateway gateway
COPY inference inference
COPY simulator simulator
COPY templates templates
RUN pip install --no-cache-dir --no-deps --editable . && python -m compileall -q gateway inference simulator

USER leafline
ENV LEAFLINE_HOME=/var/lib/leafline \
    LEAFLINE_HOST=0.0.0.0 \
    PYTHONUNBUFFERED=1
VOLUME /var/lib/leafline
EXPOSE 8000
ENTRYPOINT ["leafline"]
CMD ["web"]
