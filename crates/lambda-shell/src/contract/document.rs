//! The whole document, and the shapes it names.

use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

use super::{Operation, Route};
use crate::problem::ProblemBody;

/// What is said of an API as a whole.
#[derive(Debug, Clone, Copy)]
pub struct Info<'a> {
    /// Its name.
    pub title: &'a str,
    /// The version of the contract.
    pub version: &'a str,
    /// What it is for.
    pub description: &'a str,
    /// Its security schemes, by name.
    pub security: &'a [(&'a str, Value)],
}

/// The shapes of requests and of answers. A type that is both reads and writes the same.
#[derive(Debug)]
pub(super) struct Shapes {
    taken: SchemaGenerator,
    given: SchemaGenerator,
}

impl Shapes {
    fn new() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12()
                .with(|settings| settings.definitions_path = "/components/schemas".into())
        };
        Self {
            taken: settings().for_deserialize().into_generator(),
            given: settings().for_serialize().into_generator(),
        }
    }

    pub(super) fn taken<T: JsonSchema>(&mut self) -> Value {
        self.taken.subschema_for::<T>().to_value()
    }

    pub(super) fn given<T: JsonSchema>(&mut self) -> Value {
        self.given.subschema_for::<T>().to_value()
    }

    pub(super) fn problem(&mut self) -> Value {
        self.given::<ProblemBody<'static>>()
    }

    /// The fields of a struct: name, schema without null, and whether it must be there.
    pub(super) fn fields<T: JsonSchema>(&mut self) -> Vec<(String, Value, bool)> {
        let schema = T::json_schema(&mut self.taken).to_value();
        let required = |name: &str| {
            let names = schema.get("required").and_then(Value::as_array);
            names.is_some_and(|names| names.iter().any(|it| it == name))
        };
        let fields = schema.get("properties").and_then(Value::as_object);
        fields
            .into_iter()
            .flatten()
            .map(|(name, field)| (name.clone(), without_null(field.clone()), required(name)))
            .collect()
    }

    fn into_components(mut self) -> Map<String, Value> {
        let mut all = self.taken.take_definitions(true);
        for (name, shape) in self.given.take_definitions(true) {
            let known = all.insert(name.clone(), shape.clone());
            assert!(
                known.is_none_or(|known| known == shape),
                "{name} is not the same in requests and in answers"
            );
        }
        all
    }
}

/// A parameter is there or not; it is never null.
fn without_null(mut schema: Value) -> Value {
    if let Some(Value::Array(kinds)) = schema.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        let only = kinds.first().filter(|_| kinds.len() == 1).cloned();
        if let (Some(only), Some(schema)) = (only, schema.as_object_mut()) {
            schema.insert("type".to_owned(), only);
        }
    }
    let choices = schema.get("anyOf").and_then(Value::as_array);
    let other = choices
        .and_then(|choices| choices.iter().find(|it| it.get("type") != Some(&"null".into())))
        .cloned();
    match (other, schema.get("description").cloned()) {
        (Some(Value::Object(mut other)), Some(about)) => {
            other.insert("description".to_owned(), about);
            Value::Object(other)
        }
        (Some(other), _) => other,
        (None, _) => schema,
    }
}

/// The document of some routes.
///
/// # Panics
/// When two different shapes have one name, or two routes one id: mistakes that the test which makes the document tells.
pub fn document(info: &Info<'_>, routes: &[Route]) -> Value {
    let mut shapes = Shapes::new();
    let mut paths = Map::new();
    let mut ids = std::collections::BTreeSet::new();
    for route in routes {
        let mut operation = Operation::new(route.method.clone(), &mut shapes);
        (route.inputs)(&mut operation);
        (route.describe)(&mut operation);
        let operation = operation.into_json();
        let id =
            operation.get("operationId").and_then(Value::as_str).unwrap_or_default().to_owned();
        assert!(!id.is_empty() && ids.insert(id), "{route:?} has no id of its own");
        let path = paths.entry(route.path.clone()).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(route.method.as_str().to_lowercase(), operation);
        }
    }
    let security: Map<String, Value> =
        info.security.iter().map(|(name, scheme)| ((*name).to_owned(), scheme.clone())).collect();
    json!({
        "openapi": "3.1.0",
        "info": {"title": info.title, "version": info.version, "description": info.description},
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "paths": paths,
        "components": {"schemas": shapes.into_components(), "securitySchemes": security},
    })
}
