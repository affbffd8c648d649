# An OpenSSH server that offers nothing but SFTP, each partner shut into its own folder.
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends openssh-server && rm -rf /var/lib/apt/lists/* \
 && mkdir -p /run/sshd /srv/sftp /etc/ssh/authorized_keys \
 && useradd --no-create-home --home-dir / --shell /usr/sbin/nologin amihub
COPY deploy/sshd_config /etc/ssh/sshd_config
EXPOSE 22
CMD ["sh", "-c", "mkdir -p /srv/sftp/amihub/outbound/archive /srv/sftp/amihub/outbound/reject /srv/sftp/amihub/inbound && chown -R amihub /srv/sftp/amihub/outbound /srv/sftp/amihub/inbound && ssh-keygen -A && exec /usr/sbin/sshd -D -e"]
