//! The table behind a record: wire names, places, and what the vendor documents about each member.

/// Where a member travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    /// In the path, for a `{name}` of the template.
    Path,
    /// In the query string, or in the form body where the protocol sends its parameters there.
    Query,
    /// In a header.
    Header,
    /// In the JSON body; members of nested structures and of answers too.
    Body,
    /// The value is the whole body.
    Raw,
    /// A part of a multipart body.
    Part,
}

/// How a member's JSON form departs from its Rust type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// It does not.
    Plain,
    /// A wrapper object holds the value under this one name: `{"AccessTokens":{"AccessToken":[..]}}`.
    Wrapped(&'static str),
    /// An answer may hold an object instead of the text; the text is its member of this name.
    Named(&'static str),
    /// A list goes out as one text, joined with commas.
    Comma,
}

/// What the vendor documents about permitted values. Checked by `validate()`, never by `send`.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Smallest and largest number; text that holds a number is checked too.
    pub range: Option<(i64, i64)>,
    /// Fewest and most characters.
    pub len: Option<(u32, u32)>,
    /// Documented values. Services add new ones, so an unknown value is only reported by `validate()`.
    pub values: &'static [&'static str],
    /// A regular expression, and the rule in words.
    pub pattern: Option<(&'static str, &'static str)>,
    /// Texts that it must not start with.
    pub not_prefix: &'static [&'static str],
}

impl Limits {
    /// No documented limit.
    pub const NONE: Self = Self {
        range: None,
        len: None,
        values: &[],
        pattern: None,
        not_prefix: &[],
    };
}

/// One member of a record.
#[derive(Debug, Clone, Copy)]
pub struct Member {
    /// Its name on the wire.
    pub name: &'static str,
    /// Where it travels.
    pub location: Location,
    /// Whether the service insists on it.
    pub required: bool,
    /// How its JSON form departs from the Rust type.
    pub shape: Shape,
    /// The client setting that supplies it when it is not set, such as `region`.
    pub setting: Option<&'static str>,
    /// Documented limits.
    pub limits: Limits,
}

impl Member {
    const fn at(name: &'static str, location: Location) -> Self {
        Self {
            name,
            location,
            required: false,
            shape: Shape::Plain,
            setting: None,
            limits: Limits::NONE,
        }
    }
    /// A path member.
    pub const fn path(name: &'static str) -> Self {
        Self::at(name, Location::Path)
    }
    /// A query member.
    pub const fn query(name: &'static str) -> Self {
        Self::at(name, Location::Query)
    }
    /// A header member.
    pub const fn header(name: &'static str) -> Self {
        Self::at(name, Location::Header)
    }
    /// A member of the JSON body, of a nested structure or of an answer.
    pub const fn body(name: &'static str) -> Self {
        Self::at(name, Location::Body)
    }
    /// A member that is the whole body.
    pub const fn raw(name: &'static str) -> Self {
        Self::at(name, Location::Raw)
    }
    /// A part of a multipart body.
    pub const fn part(name: &'static str) -> Self {
        Self::at(name, Location::Part)
    }
    /// In an answer: it comes in a header.
    pub const fn in_header(mut self) -> Self {
        self.location = Location::Header;
        self
    }
    /// In an answer: it is the whole body.
    pub const fn whole(mut self) -> Self {
        self.location = Location::Raw;
        self
    }
    /// Marks it as required.
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }
    /// See [`Shape::Wrapped`].
    pub const fn wrapped(mut self, inner: &'static str) -> Self {
        self.shape = Shape::Wrapped(inner);
        self
    }
    /// See [`Shape::Named`].
    pub const fn named(mut self, inner: &'static str) -> Self {
        self.shape = Shape::Named(inner);
        self
    }
    /// See [`Shape::Comma`].
    pub const fn comma(mut self) -> Self {
        self.shape = Shape::Comma;
        self
    }
    /// Names the client setting that supplies it.
    pub const fn setting(mut self, name: &'static str) -> Self {
        self.setting = Some(name);
        self
    }
    /// Documents the smallest and largest number.
    pub const fn range(mut self, min: i64, max: i64) -> Self {
        self.limits.range = Some((min, max));
        self
    }
    /// Documents the fewest and most characters.
    pub const fn len(mut self, min: u32, max: u32) -> Self {
        self.limits.len = Some((min, max));
        self
    }
    /// Documents the values.
    pub const fn values(mut self, values: &'static [&'static str]) -> Self {
        self.limits.values = values;
        self
    }
    /// Documents a pattern, and the rule in words.
    pub const fn pattern(mut self, pattern: &'static str, rule: &'static str) -> Self {
        self.limits.pattern = Some((pattern, rule));
        self
    }
    /// Documents texts that it must not start with.
    pub const fn not_prefix(mut self, prefixes: &'static [&'static str]) -> Self {
        self.limits.not_prefix = prefixes;
        self
    }
}

/// The members of a record, in the order in which the record lends them.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// The type's name.
    pub name: &'static str,
    /// Its members.
    pub members: &'static [Member],
}
