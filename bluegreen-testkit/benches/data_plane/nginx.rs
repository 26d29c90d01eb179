//! nginx, in front of the same machines.

use std::error::Error;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// A proxy that ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Nginx {
    process: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Nginx {
    /// Starts one that forwards to these machines in turn, with connections that it keeps.
    pub(crate) async fn start(machines: &[SocketAddr]) -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let servers: Vec<_> = machines.iter().map(|one| format!("server {one};")).collect();
        let servers = servers.join(" ");
        let at = folder.path().display();
        let configuration = format!(
            "daemon off; pid {at}/pid; error_log {at}/errors warn; worker_processes auto;
             events {{ worker_connections 1024; }}
             http {{
               access_log off; client_body_temp_path {at}/body; proxy_temp_path {at}/proxy;
               fastcgi_temp_path {at}/fastcgi; uwsgi_temp_path {at}/uwsgi;
               scgi_temp_path {at}/scgi; keepalive_requests 1000000000;
               upstream machines {{ {servers} keepalive 64; }}
               server {{
                 listen {address};
                 location / {{
                   proxy_pass http://machines; proxy_http_version 1.1;
                   proxy_set_header Connection \"\"; proxy_set_header Host $host;
                   proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                 }}
               }}
             }}"
        );
        let path = folder.path().join("nginx.conf");
        fs::write(&path, configuration)?;
        let program = ["/usr/sbin/nginx", "nginx"];
        let program = program.iter().find(|one| fs::exists(one).unwrap_or(false));
        let process = Command::new(program.unwrap_or(&"nginx"))
            .arg("-p")
            .arg(folder.path())
            .arg("-e")
            .arg(folder.path().join("errors"))
            .arg("-c")
            .arg(&path)
            .stdin(Stdio::null())
            .spawn()
            .map_err(|error| {
                format!("nginx cannot be run ({error}): install it, on Debian as `nginx-light`")
            })?;
        let nginx = Self { process, address, _folder: folder };
        nginx.wait().await?;
        Ok(nginx)
    }

    /// Returns where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    async fn wait(&self) -> Result<(), Box<dyn Error>> {
        for _ in 0..100 {
            if TcpStream::connect(self.address).is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err("nginx does not listen".into())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Asked to end, it ends its workers as well.
        if let Some(pid) = rustix::process::Pid::from_raw(self.process.id().cast_signed()) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        drop(self.process.wait());
    }
}
