declare module "swagger-ui-dist/swagger-ui-es-bundle.js" {
  /** https://swagger.io/docs/open-source-tools/swagger-ui/usage/configuration/ */
  export default function SwaggerUI(options: {
    dom_id: string;
    url: string;
    deepLinking: boolean;
    docExpansion: "none";
    defaultModelsExpandDepth: number;
    filter: boolean;
    persistAuthorization: boolean;
    tryItOutEnabled: boolean;
    displayRequestDuration: boolean;
    validatorUrl: null;
  }): unknown;
}
