//! One operation of the document, described step by step.

use http::Method;
use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use super::document::Shapes;
use crate::problem::MEDIA_TYPE;

/// An operation under description.
#[derive(Debug)]
pub struct Operation<'a> {
    method: Method,
    json: Map<String, Value>,
    shapes: &'a mut Shapes,
}

impl<'a> Operation<'a> {
    pub(super) fn new(method: Method, shapes: &'a mut Shapes) -> Self {
        let json = Map::from_iter([
            ("parameters".to_owned(), json!([])),
            ("responses".to_owned(), json!({})),
            ("security".to_owned(), json!([])),
        ]);
        Self { method, json, shapes }
    }

    pub(super) fn into_json(self) -> Value {
        Value::Object(self.json)
    }

    /// The method it is for.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Its unique id, the group it is listed in, and what it does in a few words.
    pub fn named(&mut self, id: &str, group: &str, summary: &str) -> &mut Self {
        self.set("operationId", id.into())
            .set("tags", json!([group]))
            .set("summary", summary.into())
    }

    /// What it does, at length.
    pub fn explained(&mut self, text: &str) -> &mut Self {
        self.set("description", text.into())
    }

    /// Marks it as deprecated.
    pub fn deprecated(&mut self) -> &mut Self {
        self.set("deprecated", true.into())
    }

    /// Which roles may call it, with the named security scheme.
    pub fn secured(&mut self, scheme: &str, roles: &[&str]) -> &mut Self {
        let place = self.array("security");
        place.push(json!({ scheme: [] }));
        if !roles.is_empty() {
            self.set("x-roles", json!(roles));
        }
        self
    }

    /// A parameter in the path.
    pub fn in_path<T: JsonSchema>(&mut self, name: &str, about: &str) -> &mut Self {
        let schema = self.shapes.taken::<T>();
        self.parameter("path", name, about, true, schema)
    }

    /// A header that the request may or must have.
    pub fn header<T: JsonSchema>(&mut self, name: &str, about: &str, required: bool) -> &mut Self {
        let schema = self.shapes.taken::<T>();
        self.parameter("header", name, about, required, schema)
    }

    /// A cookie that the request may or must have.
    pub fn cookie<T: JsonSchema>(&mut self, name: &str, about: &str, required: bool) -> &mut Self {
        let schema = self.shapes.taken::<T>();
        self.parameter("cookie", name, about, required, schema)
    }

    /// The query's parameters: the fields of a struct.
    pub fn queried<T: JsonSchema>(&mut self) -> &mut Self {
        for (name, schema, required) in self.shapes.fields::<T>() {
            let about = schema.get("description").and_then(Value::as_str).unwrap_or("").to_owned();
            self.parameter("query", &name, &about, required, schema);
        }
        self
    }

    /// The body, in place of what the extractors told of it.
    pub fn takes<T: JsonSchema>(&mut self, media_type: &str) -> &mut Self {
        let schema = self.shapes.taken::<T>();
        self.set(
            "requestBody",
            json!({"required": true, "content": {media_type: {"schema": schema}}}),
        )
    }

    /// An answer in JSON.
    pub fn answers<T: JsonSchema>(&mut self, status: u16, about: &str) -> &mut Self {
        let schema = self.shapes.given::<T>();
        self.answer(status, about, "application/json", &schema)
    }

    /// An answer as a page for people.
    pub fn shows(&mut self, status: u16, about: &str) -> &mut Self {
        self.answer(status, about, "text/html", &json!({"type": "string"}))
    }

    /// An answer without a body.
    pub fn answers_empty(&mut self, status: u16, about: &str) -> &mut Self {
        self.response(status, about);
        self
    }

    /// A header of an answer that was described before.
    pub fn with_header(&mut self, status: u16, name: &str, about: &str) -> &mut Self {
        let response = self.response(status, "");
        let headers = object(response.entry("headers").or_insert_with(|| json!({})));
        headers
            .insert(name.to_owned(), json!({"description": about, "schema": {"type": "string"}}));
        self
    }

    /// Problems that it may answer with, by status. More of the same status are added.
    pub fn refuses(&mut self, status: u16, codes: &[&str]) -> &mut Self {
        let problem = self.shapes.problem();
        self.refuse(status, codes, &problem)
    }

    /// Problems of a status that was described before may carry more members: the fields of a struct, all optional.
    pub fn extended_by<T: JsonSchema>(&mut self, status: u16) -> &mut Self {
        let more = self.shapes.given::<T>();
        let schema = self.content(status, MEDIA_TYPE).get_mut("schema");
        if let Some(all) = schema.and_then(|it| it.get_mut("allOf")).and_then(Value::as_array_mut) {
            all.push(more);
        }
        self
    }

    fn refuse(&mut self, status: u16, codes: &[&str], problem: &Value) -> &mut Self {
        let about = http::StatusCode::from_u16(status)
            .ok()
            .and_then(|status| status.canonical_reason())
            .unwrap_or("Problem");
        self.response(status, about);
        let content = self.content(status, MEDIA_TYPE);
        let schema = object(content.entry("schema").or_insert_with(|| {
            json!({"allOf": [problem, {"properties": {"status": {"const": status}, "code": {"enum": []}}}]})
        }));
        let known = schema
            .get_mut("allOf")
            .and_then(|all| all.pointer_mut("/1/properties/code/enum"))
            .and_then(Value::as_array_mut);
        if let Some(known) = known {
            for code in codes {
                if !known.iter().any(|it| it == code) {
                    known.push((*code).into());
                }
            }
            known.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
        }
        self
    }

    fn answer(&mut self, status: u16, about: &str, kind: &str, schema: &Value) -> &mut Self {
        self.response(status, about);
        self.content(status, kind).insert("schema".to_owned(), schema.clone());
        self
    }

    fn parameter(
        &mut self,
        place: &str,
        name: &str,
        about: &str,
        required: bool,
        mut schema: Value,
    ) -> &mut Self {
        if let Some(schema) = schema.as_object_mut() {
            schema.remove("description");
        }
        let parameter = json!({
            "name": name, "in": place, "description": about, "required": required, "schema": schema,
        });
        self.array("parameters").push(parameter);
        self
    }

    /// The response of a status; one text for each, the first that says something.
    fn response(&mut self, status: u16, about: &str) -> &mut Map<String, Value> {
        let responses = object(self.json.entry("responses").or_insert_with(|| json!({})));
        let response = object(responses.entry(status.to_string()).or_insert_with(|| json!({})));
        let known = response.get("description").and_then(Value::as_str).unwrap_or_default();
        if known.is_empty() {
            response.insert("description".to_owned(), about.into());
        }
        response
    }

    fn content(&mut self, status: u16, kind: &str) -> &mut Map<String, Value> {
        let response = self.response(status, "");
        let content = object(response.entry("content").or_insert_with(|| json!({})));
        object(content.entry(kind.to_owned()).or_insert_with(|| json!({})))
    }

    fn set(&mut self, name: &str, value: Value) -> &mut Self {
        self.json.insert(name.to_owned(), value);
        self
    }

    fn array(&mut self, name: &str) -> &mut Vec<Value> {
        let place = self.json.entry(name.to_owned()).or_insert_with(|| json!([]));
        if !place.is_array() {
            *place = json!([]);
        }
        match place {
            Value::Array(items) => items,
            _ => unreachable!("it was made an array"),
        }
    }
}

fn object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = json!({});
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("it was made an object"),
    }
}
