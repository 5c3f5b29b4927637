//! One declaration for the six routes of rules, filters and meters.

/// Declares `router()` with the handlers of one kind of attachment and what the documentation says
/// of them: `list`, `create`, `get`, `replace`, `change` and `delete`, each with its sentence.
/// `of` says how the record that they belong to is named in the path.
macro_rules! attachment_routes {
    (
        $form:ident, $input:ident, $resource:ident;
        tag $tag:literal;
        paths $all:literal, $one:literal;
        of ($($part:ident: $text:ident),+) => $attached_to:expr;
        params ($($record:tt),+), $own:tt;
        list $list:ident $list_says:literal;
        create $create:ident $create_says:literal;
        get $get:ident $get_says:literal;
        replace $replace:ident $replace_says:literal;
        change $change:ident $change_says:literal;
        delete $delete:ident $delete_says:literal;
    ) => {
        /// The routes of this file.
        pub fn router() -> OpenApiRouter<AppState> {
            OpenApiRouter::new()
                .routes(routes!($list, $create))
                .routes(routes!($get, $replace, $change, $delete))
        }

        #[doc = $list_says]
        #[utoipa::path(
            get,
            path = $all,
            tag = $tag,
            params(
                ("clientId" = Uuid, Path, description = "The organisation"),
                $($record,)+
                ListParams,
                LabelParams,
                ("active" = Option<bool>, Query, description = "Only active or inactive ones"),
            ),
            responses((status = 200, body = Listed<$resource>))
        )]
        async fn $list(
            call: Read,
            InPath((client, $($part),+)): InPath<(String, $($text),+)>,
            query: RawQuery,
        ) -> ApiResult {
            attachments::list::<$form>(call, &client, $attached_to, query).await
        }

        #[doc = $create_says]
        #[utoipa::path(
            post,
            path = $all,
            tag = $tag,
            params(
                ("clientId" = Uuid, Path, description = "The organisation"),
                $($record,)+
            ),
            request_body = $input,
            responses((status = 201, body = $resource))
        )]
        async fn $create(
            call: Mutation,
            InPath((client, $($part),+)): InPath<(String, $($text),+)>,
            body: Body,
        ) -> ApiResult {
            attachments::create::<$form>(call, &client, $attached_to, body).await
        }

        #[doc = $get_says]
        #[utoipa::path(
            get,
            path = $one,
            tag = $tag,
            params(
                ("clientId" = Uuid, Path, description = "The organisation"),
                $($record,)+
                $own,
            ),
            responses((status = 200, body = $resource), (status = 304, description = "As known"))
        )]
        async fn $get(
            call: Read,
            InPath((client, $($part,)+ own)): InPath<(String, $($text,)+ String)>,
        ) -> ApiResult {
            attachments::get::<$form>(call, &client, $attached_to, &own).await
        }

        attachment_routes! {
            @update put $replace $replace_says, $form, $tag, $one,
            (content = $input), $resource, ($($part: $text),+) => $attached_to, ($($record),+), $own
        }
        attachment_routes! {
            @update patch $change $change_says, $form, $tag, $one,
            (content = $input, content_type = "application/merge-patch+json"),
            $resource, ($($part: $text),+) => $attached_to, ($($record),+), $own
        }

        #[doc = $delete_says]
        #[utoipa::path(
            delete,
            path = $one,
            tag = $tag,
            params(
                ("clientId" = Uuid, Path, description = "The organisation"),
                $($record,)+
                $own,
            ),
            responses((status = 204))
        )]
        async fn $delete(
            call: Mutation,
            InPath((client, $($part,)+ own)): InPath<(String, $($text,)+ String)>,
        ) -> ApiResult {
            attachments::delete::<$form>(call, &client, $attached_to, &own).await
        }
    };
    (
        @update $method:ident $name:ident $says:literal, $form:ident, $tag:literal, $one:literal,
        ($($input:tt)+), $resource:ident, ($($part:ident: $text:ident),+) => $attached_to:expr,
        ($($record:tt),+), $own:tt
    ) => {
        #[doc = $says]
        #[utoipa::path(
            $method,
            path = $one,
            tag = $tag,
            params(
                ("clientId" = Uuid, Path, description = "The organisation"),
                $($record,)+
                $own,
            ),
            request_body($($input)+),
            responses((status = 200, body = $resource))
        )]
        async fn $name(
            call: Mutation,
            InPath((client, $($part,)+ own)): InPath<(String, $($text,)+ String)>,
            body: Body,
        ) -> ApiResult {
            attachments::update::<$form>(call, &client, ($attached_to, &own), body).await
        }
    };
}

pub(super) use attachment_routes;
