# The one image for every command of the program: Node, one bundle, nothing else that could run.
ARG BUILD_IMAGE=docker.io/library/node:24-bookworm-slim
ARG RUN_IMAGE=gcr.io/distroless/nodejs24-debian12:nonroot

# What is made here is the same for every architecture.
FROM --platform=$BUILDPLATFORM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json ./
# Where npm is not reached directly, two secrets say how: they are in no layer. Nothing that packages bring is run.
RUN --mount=type=secret,id=npmrc,target=/run/secrets/npmrc --mount=type=secret,id=npm-ca,target=/run/secrets/npm-ca \
    npm ci --userconfig=/run/secrets/npmrc --ignore-scripts --no-audit --no-fund --no-update-notifier
COPY . .
RUN umask 022 && node scripts/build.ts

FROM ${RUN_IMAGE}
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="registry-credential-helper" \
      org.opencontainers.image.description="Keeps every namespace of a Kubernetes cluster able to pull from private cloud registries" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /src/dist/licenses /licenses
COPY --from=build /src/dist/*.mjs /src/dist/*.txt /app/
USER 65532:65532
# The heap follows the memory limit of the container; without that Node would be killed before it collects in earnest.
ENTRYPOINT ["/nodejs/bin/node", "--max-semi-space-size=1", "--max-old-space-size-percentage=60", "--disable-proto=delete", "--disable-warning=DEP0040", "--disable-warning=DEP0169", "/app/main.mjs"]
CMD ["controller"]
