# The one image for every command of the program: Node, one bundle, nothing else that could run.
ARG BUILD_IMAGE=docker.io/library/node:24-bookworm
ARG RUN_IMAGE=gcr.io/distroless/nodejs24-debian12:nonroot

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json ./
COPY scripts/build.ts scripts/build.ts
COPY src src
RUN npm run build && rm dist/*.map

FROM ${RUN_IMAGE}
LABEL org.opencontainers.image.title="registry-credential-helper" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY LICENSE /licenses/LICENSE
COPY --from=build /src/dist /app
USER 65532:65532
# The heap follows the memory limit of the container; without that Node would be killed before it collects in earnest.
ENTRYPOINT ["/nodejs/bin/node", "--max-semi-space-size=1", "--max-old-space-size-percentage=60", "--disable-proto=delete", "--disable-warning=DEP0040", "--disable-warning=DEP0169", "/app/main.mjs"]
CMD ["controller"]
