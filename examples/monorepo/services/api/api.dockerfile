FROM python:3.13-slim AS base
WORKDIR /app
ENV PYTHONPATH=/app/vendor PYTHONUNBUFFERED=1
COPY vendor vendor
COPY stock stock

FROM base AS test
COPY tests tests
RUN python -m unittest discover --start-directory tests --quiet

FROM base AS runtime
ARG WAREHOUSE=unknown
# The catalogue is written at build time, and what was written before is reused.
RUN --mount=type=cache,target=/cache \
    python -m stock.catalogue --warehouse "$WAREHOUSE" --cache /cache > catalogue.json
USER nobody
EXPOSE 8081
CMD ["python", "-m", "stock.api"]
