//! A certificate authority of the test's own, and the certificates it gives.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};

/// Files in a folder that goes with it.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
    port: u16,
}

/// What is right or wrong with a certificate.
#[derive(Clone, Copy)]
pub enum Leaf {
    Good,
    OtherHost,
    Expired,
}

impl Authority {
    pub fn new() -> Authority {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("cache-tls-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "the authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        fs::write(folder.join("ca.pem"), issuer.pem()).unwrap();
        Authority { issuer, folder, port: 0 }
    }

    /// Remembers where the server listens that it serves.
    pub fn on(mut self, port: u16) -> Authority {
        self.port = port;
        self
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn ca_file(&self) -> String {
        self.file("ca.pem")
    }

    /// PEM files of a certificate and its key.
    pub fn certificate(&self, leaf: Leaf) -> (String, String) {
        let names = match leaf {
            Leaf::OtherHost => vec!["elsewhere.example".to_owned()],
            Leaf::Good | Leaf::Expired => vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
        };
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, "a leaf");
        if let Leaf::Expired = leaf {
            params.not_before = date_time_ymd(2001, 1, 1);
            params.not_after = date_time_ymd(2002, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        fs::write(self.folder.join("leaf.pem"), certificate.pem()).unwrap();
        fs::write(self.folder.join("leaf.key"), key.serialize_pem()).unwrap();
        (self.file("leaf.pem"), self.file("leaf.key"))
    }

    fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        // Nothing depends on it; the system empties its temporary folder by itself too.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
