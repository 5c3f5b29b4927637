//! Regions on PostgreSQL: a schema each, beside core-api's tables in the same database.

use anyhow::Context;
use sqlx::{Connection, Executor, PgConnection};

use crate::options::{DatabaseUrl, RegionName};

/// The schema of a region's tables.
pub(crate) fn schema_of(region: &RegionName) -> String {
    // In a URL `search_path` has no quotes, without which a dash ends a name.
    format!("region_{}", region.as_str().replace('-', "_"))
}

/// Makes the schemas that are missing.
pub(crate) async fn prepare(url: &DatabaseUrl, regions: &[RegionName]) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(url.expose())
        .await
        .context("the database of --database-url")?;
    for region in regions {
        // A region name has nothing that would need quoting beyond the quotes.
        let statement = format!("CREATE SCHEMA IF NOT EXISTS \"{}\"", schema_of(region));
        connection.execute(sqlx::AssertSqlSafe(statement)).await?;
    }
    connection.close().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_a_plain_name() {
        assert_eq!(schema_of(&"eu-west-1".parse().unwrap()), "region_eu_west_1");
    }
}
