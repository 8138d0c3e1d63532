-- What DuckDB makes of the same page files: explicit columns, one row per record, zstd Parquet.
COPY (
    SELECT
        'bluesky:' || record.uri AS record_id,
        record.cid AS cid,
        'bluesky' AS platform,
        'present' AS state,
        CAST(record.value.createdAt AS TIMESTAMPTZ) AS published_at,
        split_part(record.uri, '/', 3) AS author_id,
        record.value.text AS text,
        record.value.langs[1] AS lang,
        record.value.reply.parent.uri AS parent_id,
        record.value.reply.root.uri AS root_id,
        'https://bsky.app/profile/' || split_part(record.uri, '/', 3) || '/post/' || split_part(record.uri, '/', 5) AS url,
        flatten(list_transform(record.value.facets, lambda facet: list_transform(facet.features, lambda one: one.uri))) AS links,
        flatten(list_transform(record.value.facets, lambda facet: list_transform(facet.features, lambda one: one.did))) AS mentions,
        record.value.tags AS hashtags,
        list_transform(
            record.value.embed.images,
            lambda one: struct_pack(media_id := one.image.ref."$link", kind := 'image', alt := one.alt, mime := one.image.mimeType)
        ) AS attachments
    FROM (
        SELECT unnest(records) AS record
        FROM read_json(
            $files,
            format = $layout,
            columns = {
                records: 'STRUCT(
                    uri VARCHAR,
                    cid VARCHAR,
                    "value" STRUCT(
                        createdAt VARCHAR,
                        langs VARCHAR[],
                        "text" VARCHAR,
                        tags VARCHAR[],
                        reply STRUCT(root STRUCT(uri VARCHAR), parent STRUCT(uri VARCHAR)),
                        facets STRUCT(features STRUCT(uri VARCHAR, did VARCHAR, tag VARCHAR)[])[],
                        embed STRUCT(images STRUCT(alt VARCHAR, image STRUCT("ref" STRUCT("$link" VARCHAR), mimeType VARCHAR))[])
                    )
                )[]'
            }
        )
    )
) TO $out (FORMAT parquet, COMPRESSION zstd);
