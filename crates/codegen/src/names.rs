//! Names that a person would have written: `SmartAGSn` is `smart_ag_sn`, `CPEVersion` is
//! `cpe_version`, `VSwitchId` is `vswitch_id`.

use std::collections::BTreeSet;

/// Letters that belong together although their case says otherwise, in their Rust spelling.
const UNITS: &[&str] = &[
    "VSwitches",
    "VSwitch",
    "IPsec",
    "IPSec",
    "OAuth",
    "UUIDs",
    "IDs",
    "IPs",
    "MACs",
    "DNSs",
    "VMs",
    "VRouter",
    "IPv4",
    "IPv6",
    "NICs",
    "4G",
    "QoS",
    "vNUMA",
    "APIs",
    "SCSI",
    "iSCSI",
    "VNic",
    "MySQL",
];

/// The words of a name in any case style, in lower case.
pub fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        if !first.is_ascii_alphanumeric() {
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let length = unit(rest).unwrap_or_else(|| word(rest));
        words.push(rest[..length].to_ascii_lowercase());
        rest = &rest[length..];
    }
    words
}

/// The length of the unit at the start of `text`.
fn unit(text: &str) -> Option<usize> {
    let unit = UNITS.iter().find(|unit| {
        let after = text.strip_prefix(**unit);
        after.is_some_and(|after| {
            !after.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        })
    });
    unit.map(|unit| unit.len())
}

/// The length of the word at the start of `text`. Digits belong to the letters before them.
fn word(text: &str) -> usize {
    let bytes = text.as_bytes();
    let run =
        |from: usize, test: fn(&u8) -> bool| bytes[from..].iter().take_while(|b| test(b)).count();
    let capitals = run(0, u8::is_ascii_uppercase);
    let lower = run(capitals, u8::is_ascii_lowercase);
    let letters = match (capitals, lower) {
        (0 | 1, lower) => capitals + lower,
        (many, 0) => many,
        (many, _) => return many - 1,
    };
    if letters > 0 && unit(&text[letters..]).is_some() {
        return letters;
    }
    letters + run(letters, u8::is_ascii_digit)
}

/// `snake_case`.
pub fn snake(name: &str) -> String {
    words(name).join("_")
}

/// The module of a group.
pub fn snake_group(group: &str) -> String {
    group.replace('-', "_")
}

/// `PascalCase` that keeps the inner capitals of `name`.
pub fn pascal(name: &str) -> String {
    name.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty())
        .map(|part| part[..1].to_ascii_uppercase() + &part[1..])
        .collect()
}

/// One of what a plural name holds.
pub fn singular(name: &str) -> String {
    let keep = ["ss", "us", "is", "Qos", "Dns", "ics", "Os", "NICs"];
    if keep.iter().any(|end| name.ends_with(end)) || !name.ends_with('s') {
        return name.to_owned();
    }
    if let Some(stem) = name.strip_suffix("ies") {
        return format!("{stem}y");
    }
    for (many, one) in [
        ("sses", "ss"),
        ("uses", "us"),
        ("xes", "x"),
        ("ches", "ch"),
        ("oses", "os"),
    ] {
        if let Some(stem) = name.strip_suffix(many) {
            return format!("{stem}{one}");
        }
    }
    name[..name.len() - 1].to_owned()
}

const KEYWORDS: &[&str] = &[
    "as", "async", "await", "break", "const", "continue", "dyn", "else", "enum", "extern", "false",
    "fn", "for", "gen", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub",
    "ref", "return", "static", "struct", "trait", "true", "type", "unsafe", "use", "where",
    "while", "abstract", "become", "box", "do", "final", "macro", "override", "priv", "typeof",
    "unsized", "virtual", "yield", "try",
];
/// Functions that every input has; a setter of the same name would hide them. `self` and the like
/// cannot even be written raw.
const METHODS: &[&str] = &[
    "new",
    "send",
    "validate",
    "pages",
    "items",
    "operation",
    "clone",
    "default",
    "fmt",
    "self",
    "super",
    "crate",
];

/// The Rust name of a member. `taken` holds the names of its structure so far.
pub fn field(wire: &str, place: &str, taken: &mut BTreeSet<String>) -> String {
    let mut name = snake(wire);
    if name.starts_with(|c: char| c.is_ascii_digit()) || name.is_empty() {
        name.insert(0, '_');
    }
    if METHODS.contains(&name.as_str()) {
        name.push('_');
    }
    if taken.contains(&name) {
        name = format!("{name}_{}", if place.is_empty() { "other" } else { place });
    }
    taken.insert(name.clone());
    if KEYWORDS.contains(&name.as_str()) {
        name.insert_str(0, "r#");
    }
    name
}

/// The Rust name of a documented value. `taken` holds those of its block so far.
pub fn constant(prefix: &str, value: &str, taken: &mut BTreeSet<String>) -> String {
    let mut spelled = String::new();
    for c in value.chars() {
        let symbol = match c {
            '=' => "EQ",
            '!' => "NOT",
            '<' => "LT",
            '>' => "GT",
            '*' => "STAR",
            '+' => "PLUS",
            '%' => "PERCENT",
            '~' => "LIKE",
            '?' => "ANY",
            '-' if spelled.is_empty() => "MINUS",
            c if c.is_ascii_alphanumeric() => {
                spelled.push(c);
                continue;
            }
            _ => "",
        };
        spelled.push_str(&format!("_{symbol}_"));
    }
    let mut name = snake(&spelled).to_ascii_uppercase();
    if !prefix.is_empty() {
        let prefix = snake(prefix).to_ascii_uppercase();
        name = format!("{prefix}_{}", if name.is_empty() { "NONE" } else { &name });
    } else if name.is_empty() {
        name = "NONE".into();
    } else if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, 'N');
    }
    let mut unique = name.clone();
    let mut number = 2;
    while !taken.insert(unique.clone()) {
        unique = format!("{name}_{number}");
        number += 1;
    }
    unique
}

/// Type names that would hide what the generated code or its reader takes for granted.
pub fn reserved(name: &str) -> bool {
    [
        "Option",
        "String",
        "Vec",
        "Box",
        "Default",
        "Clone",
        "Result",
        "Error",
        "Some",
        "None",
        "Ok",
        "Err",
        "Record",
        "Json",
        "Secret",
        "Timestamp",
        "Bytes",
        "BTreeMap",
        "Self",
        "Client",
        "Call",
        "Response",
        "Send",
        "Sync",
        "Copy",
        "Debug",
        "Fn",
        "Iterator",
        "From",
        "Into",
        "Drop",
    ]
    .contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_read_as_people_write_them() {
        for (wire, rust) in [
            ("Sn", "sn"),
            ("CcnId", "ccn_id"),
            ("SmartAGId", "smart_ag_id"),
            ("SmartAGIds", "smart_ag_ids"),
            ("AccessKeyID", "access_key_id"),
            ("CPEVersion", "cpe_version"),
            ("cpuNum", "cpu_num"),
            ("VSwitchId", "vswitch_id"),
            ("vSwitchUuid", "v_switch_uuid"),
            ("UpBandwidth4G", "up_bandwidth_4g"),
            ("defaultL3NetworkUuid", "default_l3_network_uuid"),
            ("Md5KeyId", "md5_key_id"),
            ("x-request-id", "x_request_id"),
            ("AppDNS", "app_dns"),
            ("message_cn", "message_cn"),
            ("LVM", "lvm"),
            ("type", "r#type"),
            ("default", "default_"),
            ("items", "items_"),
        ] {
            assert_eq!(field(wire, "body", &mut BTreeSet::new()), rust);
        }
        let mut taken = BTreeSet::new();
        assert_eq!(field("instance_id", "path", &mut taken), "instance_id");
        assert_eq!(field("instance_id", "body", &mut taken), "instance_id_body");
    }

    #[test]
    fn values_become_legal_unique_constants() {
        let mut taken = BTreeSet::new();
        for (prefix, value, name) in [
            ("Status", "activated", "STATUS_ACTIVATED"),
            ("", "Running", "RUNNING"),
            ("", "running", "RUNNING_2"),
            ("", "10GE", "N10_GE"),
            ("", ">=", "GT_EQ"),
            ("Op", "-1", "OP_MINUS_1"),
            ("Op", "", "OP_NONE"),
            ("", "GradualStart", "GRADUAL_START"),
        ] {
            assert_eq!(constant(prefix, value, &mut taken), name);
        }
    }

    #[test]
    fn plurals() {
        for (many, one) in [
            ("AccessTokens", "AccessToken"),
            ("Qoses", "Qos"),
            ("Policies", "Policy"),
            ("Statistics", "Statistics"),
            ("Disks", "Disk"),
            ("Status", "Status"),
            ("Addresses", "Address"),
        ] {
            assert_eq!(singular(many), one);
        }
    }
}
