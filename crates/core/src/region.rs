//! Where does a service answer in a region?
//!
//! The region becomes part of a host's name. Whoever could put a dot or a slash into it would choose who
//! gets the credentials, so it is checked here and nowhere else.

/// Whether `text` can be a region's id, such as `eu-de`.
pub(crate) fn is_region(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !text.is_empty() && text.bytes().all(plain)
}

/// The host that `rule` names, in which `{region}` stands for the region.
pub(crate) fn host(rule: &str, region: &str) -> Result<String, String> {
    if !is_region(region) {
        return Err(format!("`{}` is no region id", region.escape_debug()));
    }
    Ok(rule.replace("{region}", region))
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn only_a_region_becomes_part_of_a_host() {
        let rule = "smartag.{region}.aliyuncs.com";
        assert_eq!(
            host(rule, "cn-shanghai").unwrap(),
            "smartag.cn-shanghai.aliyuncs.com"
        );
        for bad in ["", "a.evil.example/", "x y", "a@b", "a:1", "é", "{region}"] {
            assert!(host(rule, bad).is_err(), "{bad}");
        }
    }
}
