/** `npm run -s openapi`: prints the API of this source as an OpenAPI document. Nothing is opened or listened on. */
import { PRODUCT_VERSION } from "../protocol/product.ts";
import { openApiDocument } from "./api/document.ts";

const document = await openApiDocument(PRODUCT_VERSION);
process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
