# The local cloud as a container: `docker build -t cumulo-local .` and
# `docker run --rm -p 127.0.0.1:4500-4504:4500-4504 cumulo-local`.
# Whoever reaches the published ports may call and steer it, so publish them on loopback only.
FROM rust:1.89-slim AS build
WORKDIR /cumulo
COPY . .
RUN cargo build --release --locked --package cumulo-cli

FROM debian:stable-slim
RUN useradd --create-home cumulo
USER cumulo
COPY --from=build /cumulo/target/release/cumulo /usr/local/bin/cumulo
EXPOSE 4500-4504
ENTRYPOINT ["cumulo", "local", "--host", "0.0.0.0", "--port", "4500"]
