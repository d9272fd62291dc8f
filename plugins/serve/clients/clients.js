// Independent clients on the service at the address of the first argument, with the token of the second.
// Prints what each of them saw as one line of JSON.
const [root, token] = process.argv.slice(2);
const { csdl2openapi } = require('odata-openapi');
const PQP = require('@microsoft/powerquery-parser');
const { xml2json } = require('odata-csdl');
const { OData, filter, param } = require('@odata/client');

const authorization = 'Basic ' + Buffer.from('any:' + token).toString('base64');
const read = async (path, headers) => (await fetch(root + path, { headers: { authorization, ...headers } }));

(async () => {
  const xml = await (await read('$metadata', { accept: 'application/xml' })).text();
  const json = await (await read('$metadata', { accept: 'application/json' })).json();
  const messages = [];
  const parsed = xml2json(xml, { strict: true, messages });
  const same = [];
  const compare = (a, b, at) => {
    if (typeof a !== 'object' || typeof b !== 'object' || !a || !b) {
      if (JSON.stringify(a) !== JSON.stringify(b)) same.push(at);
      return;
    }
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) compare(a[key], b[key], `${at}/${key}`);
  };
  compare(json.PmHub, parsed.PmHub, '');
  // the query of Excel's file, by Microsoft's own parser of M
  const office = await (await fetch(root.replace('odata/v4/', 'connect/dim_project.odc'), { headers: { authorization } })).text();
  const plain = (text) => text.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&quot;/g, '"').replace(/&amp;/g, '&');
  const mashup = plain(office.match(/<odc:PowerQueryMashupData>(.*?)<\/odc:PowerQueryMashupData>/s)[1]);
  const formula = plain(mashup.match(/<Formula>(.*?)<\/Formula>/s)[1]);
  const task = await PQP.TaskUtils.tryLexParse(PQP.DefaultSettings, formula);
  const client = OData.New4({ serviceEndpoint: root, credential: { username: 'any', password: token } });
  const set = client.getEntitySet('dim_project');
  console.log(JSON.stringify({
    formula: PQP.TaskUtils.isParseStageOk(task),
    messages, differences: same,
    paths: Object.keys(csdl2openapi(parsed, {}).paths).length,
    found: (await set.query(param().filter(filter().field('code').eqString('A')).select('name'))),
    last: (await set.query(param().orderby('code').top(1).select('code'))),
    count: await set.count(),
  }));
})();
