//! `[client]`: what users set on the builder of a client. The cloud says what all its services have, the
//! overlay of the service what only it has.

use toml::{Table, Value as Toml};

use super::{Overlay, texts};
use crate::fault::{Fault, Faults};
use crate::model::Model;

/// The client of a service.
#[derive(Debug, Default)]
pub struct Client {
    /// The service, as sentences name it.
    pub title: String,
    /// What a client from the environment takes from there.
    pub from_env: String,
    /// The environment variables that name the service's address.
    pub endpoint: Vec<String>,
    /// What fills in for members that operations leave out.
    pub settings: Vec<Setting>,
    /// What says how the client works.
    pub options: Vec<Choice>,
}

/// A value for members that operations leave out.
#[derive(Debug)]
pub struct Setting {
    /// Its name, and that of its setter.
    pub name: String,
    /// What it is.
    pub doc: String,
    /// How to set it, for the error that says it is missing.
    pub how: String,
    /// The environment variables that count when it is not set.
    pub variables: Vec<String>,
}

/// A setting that no member takes.
#[derive(Debug)]
pub struct Choice {
    /// Its name, and that of its setter.
    pub name: String,
    /// `bool`, `i32`, `String`, or a type of the protocol that has a default.
    pub ty: String,
    /// What it is.
    pub doc: String,
    /// The host that it chooses.
    pub host: Option<String>,
    /// Whether `Debug` leaves it out, since it may hold a secret.
    pub hidden: bool,
}

/// The client of the service of `model`.
pub fn client(overlay: &Overlay, cloud: &Overlay, model: &Model) -> Faults<Client> {
    let mut reader = Reader {
        overlay,
        faults: Vec::new(),
    };
    let mut table = cloud.table("client").clone();
    reader.merge(&mut table, overlay.table("client"), "client");
    let client = reader.client(&table);
    let known = |name: &str| client.settings.iter().any(|setting| setting.name == name);
    for (member, setting) in overlay.table("client_default") {
        if !setting.as_str().is_some_and(known) {
            let message = format!("[client_default] the client has no setting {setting}");
            reader.faults.push(overlay.fault(member, message));
        }
    }
    if model.protocol == "acs-rpc" && model.host.is_none() {
        let message = "`endpoints.default` is missing";
        let fault = Fault::new(&model.file, "endpoints", message);
        reader.faults.push(fault);
    }
    if reader.faults.is_empty() {
        Ok(client)
    } else {
        Err(reader.faults)
    }
}

/// The texts of a list, or none where there is no list.
fn words(table: &Table, key: &str) -> Vec<String> {
    let words = table.get(key).map(texts).unwrap_or_default();
    words.into_iter().map(str::to_owned).collect()
}

struct Reader<'a> {
    overlay: &'a Overlay,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn fault(&mut self, place: &str, message: impl Into<String>) {
        self.faults
            .push(self.overlay.fault(format!("[{place}]"), message));
    }

    /// Adds the entries of the service to those of its cloud; what both say would have two meanings.
    fn merge(&mut self, into: &mut Table, from: &Table, place: &str) {
        for (key, value) in from {
            match (into.get_mut(key), value) {
                (None, _) => {
                    into.insert(key.clone(), value.clone());
                }
                (Some(Toml::Table(into)), Toml::Table(from)) => {
                    self.merge(into, from, &format!("{place}.{key}"));
                }
                (Some(_), _) => self.fault(place, format!("the cloud says `{key}` already")),
            }
        }
    }

    fn client(&mut self, table: &Table) -> Client {
        self.known(
            table,
            "client",
            &["title", "from_env", "endpoint", "setting", "option"],
        );
        let title = self.word(table, "client", "title");
        let from_env = self.word(table, "client", "from_env");
        let settings = self.entries(table, "setting", |reader, name, place, table| {
            reader.known(table, place, &["doc", "how", "variables"]);
            Setting {
                name: name.to_owned(),
                doc: reader.word(table, place, "doc"),
                how: reader.word(table, place, "how"),
                variables: words(table, "variables"),
            }
        });
        let options = self.entries(table, "option", |reader, name, place, table| {
            reader.known(table, place, &["type", "doc", "host", "hidden"]);
            let ty = reader.word(table, place, "type");
            let host = table.get("host").and_then(Toml::as_str);
            if host.is_some() && ty != "bool" {
                reader.fault(place, "`host` belongs to a flag");
            }
            Choice {
                name: name.to_owned(),
                doc: reader.word(table, place, "doc"),
                host: host.map(str::to_owned),
                hidden: table.get("hidden").and_then(Toml::as_bool) == Some(true),
                ty,
            }
        });
        Client {
            title,
            from_env,
            endpoint: words(table, "endpoint"),
            settings,
            options,
        }
    }

    fn entries<T>(
        &mut self,
        client: &Table,
        kind: &str,
        read: fn(&mut Self, &str, &str, &Table) -> T,
    ) -> Vec<T> {
        let mut entries = Vec::new();
        for (name, entry) in client
            .get(kind)
            .and_then(Toml::as_table)
            .into_iter()
            .flatten()
        {
            let place = format!("client.{kind}.{name}");
            match entry.as_table() {
                Some(table) => entries.push(read(self, name, &place, table)),
                None => self.fault(&place, "must be a table"),
            }
        }
        entries
    }

    fn known(&mut self, table: &Table, place: &str, keys: &[&str]) {
        for key in table.keys().filter(|key| !keys.contains(&key.as_str())) {
            self.fault(place, format!("unknown key `{key}`"));
        }
    }

    fn word(&mut self, table: &Table, place: &str, key: &str) -> String {
        match table.get(key).and_then(Toml::as_str) {
            Some(word) if !word.is_empty() => word.to_owned(),
            _ => {
                self.fault(place, format!("`{key}` is missing or not text"));
                String::new()
            }
        }
    }
}
