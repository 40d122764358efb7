//! What `template.yaml` says, with references as plain names: `!GetAtt UsageTable.Arn` is `UsageTable`.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml_ng::Value;

const TEMPLATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");

/// The template.
#[derive(Debug)]
pub struct Template(Value);

/// A statement of a policy.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) sid: String,
    pub(crate) actions: Vec<String>,
    pub(crate) resources: Vec<String>,
}

/// A route of the API.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// `GET` and so on.
    pub method: String,
    /// With `{id}` for what varies.
    pub path: String,
    /// Whether API Gateway verifies the caller.
    pub authorized: bool,
}

/// An alarm, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Its resource.
    pub name: String,
    /// What it watches.
    pub metrics: Vec<MetricRef>,
}

/// A metric as an alarm or a widget names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricRef {
    /// Whose metrics.
    pub namespace: String,
    /// Which.
    pub name: String,
    /// Its unit; a widget names none.
    pub unit: Option<String>,
    /// Its dimensions and their values.
    pub dimensions: BTreeMap<String, String>,
}

impl Template {
    /// Reads the workspace's template.
    ///
    /// # Errors
    /// When it is not there or not YAML.
    pub fn read() -> Result<Self, String> {
        let text =
            std::fs::read_to_string(TEMPLATE).map_err(|error| format!("template.yaml: {error}"))?;
        serde_yaml_ng::from_str(&text).map(Self).map_err(|error| format!("template.yaml: {error}"))
    }

    /// The names of all functions, as their directories are called.
    pub fn functions(&self) -> BTreeSet<String> {
        let functions = self.of_type("AWS::Serverless::Function");
        functions.filter_map(|(name, _)| name.strip_suffix("Function").map(kebab)).collect()
    }

    /// A function's variables, its own and those of all functions.
    pub(crate) fn variables(&self, function: &str) -> Result<BTreeSet<String>, String> {
        let own = self.function(function)?;
        let all = self.0.get("Globals").and_then(|globals| globals.get("Function"));
        let names = [Some(own), all]
            .into_iter()
            .flatten()
            .filter_map(|properties| properties.get("Environment")?.get("Variables")?.as_mapping());
        Ok(names.flat_map(|names| names.keys().map(plain)).collect())
    }

    /// The statements of a function's role.
    pub(crate) fn statements(&self, function: &str) -> Result<Vec<Statement>, String> {
        let role = self.function(function)?.get("Role").map(plain).unwrap_or_default();
        let wrong =
            || format!("{function} must have a role of its own with one policy in template.yaml");
        let policies = self
            .properties(&role)
            .and_then(|role| role.get("Policies"))
            .and_then(Value::as_sequence);
        let [policy] = policies.map(Vec::as_slice).unwrap_or_default() else { return Err(wrong()) };
        let statements =
            policy.get("PolicyDocument").and_then(|document| document.get("Statement"));
        let statements = statements.and_then(Value::as_sequence).ok_or_else(wrong)?;
        Ok(statements
            .iter()
            .map(|statement| Statement {
                sid: statement.get("Sid").map(plain).unwrap_or_default(),
                actions: texts(statement.get("Action")),
                resources: texts(statement.get("Resource")),
            })
            .collect())
    }

    /// Every route of the API.
    pub fn routes(&self) -> Vec<Route> {
        let routes = self.of_type("AWS::ApiGatewayV2::Route").filter_map(|(_, route)| {
            let key = route.get("RouteKey").map(plain)?;
            let (method, path) = key.split_once(' ')?;
            let authorized = route.get("AuthorizationType").map(plain).as_deref() == Some("JWT");
            Some(Route { method: method.to_owned(), path: path.to_owned(), authorized })
        });
        routes.collect()
    }

    /// Every alarm.
    pub fn alarms(&self) -> Vec<Alarm> {
        self.of_type("AWS::CloudWatch::Alarm")
            .map(|(name, alarm)| {
                let of_math =
                    alarm.get("Metrics").and_then(Value::as_sequence).into_iter().flatten();
                let of_math = of_math.filter_map(|query| {
                    let stat = either(query).get("MetricStat")?;
                    metric(stat.get("Metric")?, stat.get("Unit"))
                });
                let metrics = metric(alarm, alarm.get("Unit")).into_iter().chain(of_math).collect();
                Alarm { name: name.to_owned(), metrics }
            })
            .collect()
    }

    /// Every metric that a widget of the dashboard shows.
    ///
    /// # Errors
    /// When the dashboard is not JSON.
    pub fn widgets(&self) -> Result<Vec<MetricRef>, String> {
        let mut shown = Vec::new();
        for (_, dashboard) in self.of_type("AWS::CloudWatch::Dashboard") {
            let body = dashboard.get("DashboardBody").and_then(raw).unwrap_or_default();
            // JSON is YAML.
            let body: Value =
                serde_yaml_ng::from_str(body).map_err(|error| format!("the dashboard: {error}"))?;
            let widgets = body.get("widgets").and_then(Value::as_sequence).into_iter().flatten();
            let metrics = widgets
                .filter_map(|widget| widget.get("properties")?.get("metrics")?.as_sequence());
            shown.extend(metrics.flatten().filter_map(widget_metric));
        }
        Ok(shown)
    }

    fn function(&self, function: &str) -> Result<&Value, String> {
        let name = format!("{}Function", pascal(function));
        self.properties(&name)
            .ok_or_else(|| format!("template.yaml has no {name}: add one for functions/{function}"))
    }

    pub(crate) fn properties(&self, resource: &str) -> Option<&Value> {
        self.0.get("Resources")?.get(resource)?.get("Properties")
    }

    /// The resources that a resource must come after.
    pub(crate) fn waits_for(&self, resource: &str) -> Vec<String> {
        let resource = self.0.get("Resources").and_then(|resources| resources.get(resource));
        texts(resource.and_then(|resource| resource.get("DependsOn")))
    }

    /// Seconds that a function may take which says nothing else.
    pub(crate) fn timeout_of_all(&self) -> Option<u64> {
        self.0.get("Globals")?.get("Function")?.get("Timeout")?.as_u64()
    }

    /// Every resource with properties.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Value)> {
        let resources = self.0.get("Resources").and_then(Value::as_mapping);
        resources
            .into_iter()
            .flatten()
            .filter_map(|(name, resource)| Some((name.as_str()?, resource.get("Properties")?)))
    }

    pub(crate) fn of_type(&self, kind: &str) -> impl Iterator<Item = (&str, &Value)> {
        let resources = self.0.get("Resources").and_then(Value::as_mapping);
        resources.into_iter().flatten().filter_map(move |(name, resource)| {
            let same = resource.get("Type").and_then(Value::as_str) == Some(kind);
            same.then_some((name.as_str()?, resource.get("Properties")?))
        })
    }
}

fn metric(from: &Value, unit: Option<&Value>) -> Option<MetricRef> {
    let dimensions = from.get("Dimensions").and_then(Value::as_sequence).into_iter().flatten();
    Some(MetricRef {
        namespace: from.get("Namespace").map(plain)?,
        name: from.get("MetricName").map(plain)?,
        unit: unit.map(plain),
        dimensions: dimensions
            .filter_map(|dimension| {
                Some((plain(dimension.get("Name")?), plain(dimension.get("Value")?)))
            })
            .collect(),
    })
}

/// What an `!If` gives when its condition holds; anything else as it is.
fn either(value: &Value) -> &Value {
    match value {
        Value::Tagged(tagged) if tagged.tag == "If" => tagged.value.get(1).unwrap_or(value),
        other => other,
    }
}

/// `["Marketplace", "RecordsParked", "Reason", "expired", {"stat": "Sum"}]`.
fn widget_metric(metric: &Value) -> Option<MetricRef> {
    let words: Vec<_> = metric.as_sequence()?.iter().filter_map(Value::as_str).collect();
    let (namespace, rest) = words.split_first()?;
    let (name, dimensions) = rest.split_first()?;
    let dimensions = dimensions.chunks_exact(2).filter_map(|pair| match pair {
        [name, value] => Some(((*name).to_owned(), (*value).to_owned())),
        _ => None,
    });
    Some(MetricRef {
        namespace: (*namespace).to_owned(),
        name: (*name).to_owned(),
        unit: None,
        dimensions: dimensions.collect(),
    })
}

/// A text, a list of texts, or nothing.
pub(crate) fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Sequence(values)) => values.iter().map(plain).collect(),
        Some(value) => vec![plain(value)],
        None => Vec::new(),
    }
}

/// A scalar as text, with references to resources as their names.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Tagged(tagged) => {
            let text = plain(&tagged.value);
            if tagged.tag == "Sub" {
                text.replace("${", "").replace(".Arn}", "").replace('}', "")
            } else {
                text.trim_end_matches(".Arn").to_owned()
            }
        }
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) => String::new(),
    }
}

/// The text of a `!Sub` as it stands.
fn raw(value: &Value) -> Option<&str> {
    match value {
        Value::Tagged(tagged) => tagged.value.as_str(),
        other => other.as_str(),
    }
}

/// `metering-scheduler` is `MeteringScheduler`.
fn pascal(name: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters
            .next()
            .map(|first| first.to_ascii_uppercase())
            .into_iter()
            .chain(letters)
            .collect::<String>()
    };
    name.split('-').map(capital).collect()
}

fn kebab(name: &str) -> String {
    let mut kebab = String::new();
    for (at, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && at > 0 {
            kebab.push('-');
        }
        kebab.push(letter.to_ascii_lowercase());
    }
    kebab
}
