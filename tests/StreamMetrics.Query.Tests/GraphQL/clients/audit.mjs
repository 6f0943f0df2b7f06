// node audit.mjs URL: checks GraphQL over HTTP, the introspection and the SDL; prints what was found as JSON.
import { auditServer } from 'graphql-http';
import { buildClientSchema, buildSchema, getIntrospectionQuery, lexicographicSortSchema, printSchema, validateSchema } from 'graphql';

const url = process.argv[2];
const audits = await auditServer({ url });
const of = (status) => audits.filter((a) => a.status === status).map((a) => `${a.id} ${a.name}: ${a.reason}`);

const query = getIntrospectionQuery({ specifiedByUrl: true, directiveIsRepeatable: true, schemaDescription: true, inputValueDeprecation: true });
const introspection = await (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query }) })).json();
const introspected = buildClientSchema(introspection.data);
const written = buildSchema(await (await fetch(`${url}?sdl`)).text());
const sorted = (schema) => printSchema(lexicographicSortSchema(schema));

console.log(JSON.stringify({
  audits: audits.length,
  errors: of('error'),
  warnings: of('warn'),
  schemaErrors: [...validateSchema(introspected), ...validateSchema(written)].map((e) => e.message),
  isSdlTheIntrospection: sorted(introspected) === sorted(written),
}));
