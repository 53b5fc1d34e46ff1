# The one image that runs every step: the product and what requirements/pipeline.txt names, no stand-ins, tests or tools.
# Its base is Python 3.12 on a slim Debian, named by digest so that two builds start from the same bytes. To find one:
#   docker buildx imagetools inspect python:3.12-slim
#   docker build --build-arg BASE_IMAGE=python@sha256:… --tag spacex-elt .
ARG BASE_IMAGE

FROM ${BASE_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 UV_PYTHON_DOWNLOADS=never
WORKDIR /src
COPY requirements/image.txt requirements/pipeline.txt requirements/
RUN python -m pip install --require-hashes --requirement requirements/image.txt \
 && python -m venv --without-pip /opt/spacex-elt \
 && python -m uv pip sync --compile-bytecode --require-hashes --python /opt/spacex-elt/bin/python requirements/pipeline.txt
COPY pyproject.toml README.md LICENSE ./
COPY contracts contracts/
COPY validation validation/
COPY observability observability/
COPY loader loader/
COPY extraction extraction/
COPY spacex_elt spacex_elt/
RUN python -m hatchling build --target wheel --directory /wheel \
 && python -m uv pip install --compile-bytecode --no-deps --no-index --python /opt/spacex-elt/bin/python /wheel/*.whl
COPY dbt /opt/spacex-elt/dbt/

FROM ${BASE_IMAGE}
COPY --from=build /opt/spacex-elt /opt/spacex-elt
# Nothing but /tmp need be writable: bytecode is compiled above, dbt's project is only read.
ENV PATH=/opt/spacex-elt/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    DO_NOT_TRACK=1 \
    SPACEX_ELT_DBT_PROJECT_DIR=/opt/spacex-elt/dbt \
    SPACEX_ELT_WORK_DIR=/tmp/spacex-elt
WORKDIR /tmp
USER 10001:10001
# Fargate mounts its volume over this one and keeps its mode; without it, user 10001 could write nowhere.
VOLUME ["/tmp"]
ENTRYPOINT ["spacex-elt"]
