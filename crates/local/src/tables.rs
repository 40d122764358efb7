//! The tables, made from `template.yaml`: the deployed stack and the laptop have one source.
//!
//! Streams are left out: the embedded DynamoDB slows down with every write to a table that has one, and the bus takes
//! their place.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, TimeToLiveSpecification,
};
use serde::Deserialize;
use serde_yaml_ng::Value;

pub use store_dynamodb::Tables;

/// Why the tables could not be made.
#[derive(Debug, thiserror::Error)]
pub enum TablesError {
    /// The template is not YAML.
    #[error("template.yaml cannot be read")]
    Template(#[from] serde_yaml_ng::Error),
    /// A table is not in it.
    #[error("template.yaml has no table {0}")]
    Missing(&'static str),
    /// A table in it lacks something.
    #[error("the table {0} of template.yaml is incomplete")]
    Incomplete(&'static str, #[source] aws_sdk_dynamodb::error::BuildError),
    /// DynamoDB refused.
    #[error("the table {0} could not be made")]
    Create(&'static str, #[source] Box<dyn std::error::Error + Send + Sync>),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(clippy::struct_field_names, reason = "named as in the template")]
struct TableProperties {
    attribute_definitions: Vec<Definition>,
    key_schema: Vec<KeyPart>,
    #[serde(default)]
    global_secondary_indexes: Vec<Index>,
    time_to_live_specification: Option<TimeToLive>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    attribute_name: String,
    attribute_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyPart {
    attribute_name: String,
    key_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Index {
    #[serde(rename = "IndexName")]
    name: String,
    key_schema: Vec<KeyPart>,
    projection: IndexProjection,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IndexProjection {
    projection_type: String,
    #[serde(default)]
    non_key_attributes: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TimeToLive {
    attribute_name: String,
    enabled: bool,
}

/// Makes the template's tables where they do not exist yet, and answers their names.
///
/// # Errors
/// When the template lacks a table, or DynamoDB refuses one.
pub async fn create_tables(client: &Client, template: &str) -> Result<Tables, TablesError> {
    let template: Value = serde_yaml_ng::from_str(template)?;
    let tables = Tables {
        subscription: "local-subscription".to_owned(),
        customer: "local-customer".to_owned(),
        usage: "local-usage".to_owned(),
        audit: "local-audit".to_owned(),
    };
    for (id, name) in [
        ("SubscriptionTable", &tables.subscription),
        ("CustomerTable", &tables.customer),
        ("UsageTable", &tables.usage),
        ("AuditTable", &tables.audit),
    ] {
        create(client, id, name, properties(&template, id)?).await?;
    }
    Ok(tables)
}

fn properties(template: &Value, id: &'static str) -> Result<TableProperties, TablesError> {
    let resource = template.get("Resources").and_then(|resources| resources.get(id));
    let is_table = |resource: &&Value| {
        resource.get("Type").and_then(Value::as_str) == Some("AWS::DynamoDB::Table")
    };
    let resource = resource.filter(is_table).ok_or(TablesError::Missing(id))?;
    let properties = resource.get("Properties").ok_or(TablesError::Missing(id))?;
    Ok(serde_yaml_ng::from_value(properties.clone())?)
}

async fn create(
    client: &Client,
    id: &'static str,
    name: &str,
    table: TableProperties,
) -> Result<(), TablesError> {
    let incomplete = |error| TablesError::Incomplete(id, error);
    let mut request = client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(key_schema(&table.key_schema).map_err(incomplete)?));
    for attribute in &table.attribute_definitions {
        let definition = AttributeDefinition::builder()
            .attribute_name(&attribute.attribute_name)
            .attribute_type(ScalarAttributeType::from(attribute.attribute_type.as_str()))
            .build()
            .map_err(incomplete)?;
        request = request.attribute_definitions(definition);
    }
    for index in &table.global_secondary_indexes {
        let projection = Projection::builder()
            .projection_type(ProjectionType::from(index.projection.projection_type.as_str()))
            .set_non_key_attributes(index.projection.non_key_attributes.clone())
            .build();
        let index = GlobalSecondaryIndex::builder()
            .index_name(&index.name)
            .set_key_schema(Some(key_schema(&index.key_schema).map_err(incomplete)?))
            .projection(projection)
            .build()
            .map_err(incomplete)?;
        request = request.global_secondary_indexes(index);
    }
    match request.send().await {
        Ok(_) => live(client, id, name, table.time_to_live_specification).await,
        Err(SdkError::ServiceError(error))
            if matches!(error.err(), CreateTableError::ResourceInUseException(_)) =>
        {
            Ok(())
        }
        Err(error) => Err(TablesError::Create(id, error.into())),
    }
}

async fn live(
    client: &Client,
    id: &'static str,
    name: &str,
    time_to_live: Option<TimeToLive>,
) -> Result<(), TablesError> {
    let Some(TimeToLive { attribute_name, enabled }) = time_to_live else { return Ok(()) };
    let specification = TimeToLiveSpecification::builder()
        .attribute_name(attribute_name)
        .enabled(enabled)
        .build()
        .map_err(|error| TablesError::Incomplete(id, error))?;
    let request = client.update_time_to_live().table_name(name);
    let set = request.time_to_live_specification(specification).send().await;
    set.map(|_| ()).map_err(|error| TablesError::Create(id, error.into()))
}

fn key_schema(
    parts: &[KeyPart],
) -> Result<Vec<KeySchemaElement>, aws_sdk_dynamodb::error::BuildError> {
    parts
        .iter()
        .map(|part| {
            KeySchemaElement::builder()
                .attribute_name(&part.attribute_name)
                .key_type(KeyType::from(part.key_type.as_str()))
                .build()
        })
        .collect()
}
