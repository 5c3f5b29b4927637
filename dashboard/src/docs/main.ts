/** `/docs`: the API's description as a reference that can be tried, by Swagger UI. */
import DOMPurify from "dompurify";
import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";
import "swagger-ui-dist/swagger-ui.css";
import "./docs.css";

interface Factory {
  createPolicy: (name: string, rules: { createHTML: (text: string) => string }) => unknown;
}

// Swagger UI writes the Markdown of descriptions as text. Where the browser asks who vouches for
// it, this does: nothing that runs is left in it.
const factory = (globalThis as { trustedTypes?: Factory }).trustedTypes;
factory?.createPolicy("default", { createHTML: (text) => DOMPurify.sanitize(text) });

SwaggerUI({
  dom_id: "#docs",
  url: "/openapi.json",
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: -1,
  filter: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  // It would ask another origin.
  validatorUrl: null,
});
