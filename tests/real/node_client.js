// A flow of node-vault, the common client for Node.js: write, read, list, look up, delete. VAULT_* say where and how.
const { readFileSync } = require('fs');
const vault = require('node-vault')({
  apiVersion: 'v1',
  endpoint: process.env.VAULT_ADDR,
  token: process.env.VAULT_TOKEN,
  requestOptions: {
    ca: readFileSync(process.env.VAULT_CACERT),
    agentOptions: {
      ca: readFileSync(process.env.VAULT_CACERT),
      servername: process.env.VAULT_TLS_SERVER_NAME,
      checkServerIdentity: (host, cert) =>
        require('tls').checkServerIdentity(process.env.VAULT_TLS_SERVER_NAME, cert),
    },
  },
});

async function flow(name) {
  await vault.write(`secret/data/${name}`, { data: { value: name } });
  const read = await vault.read(`secret/data/${name}`);
  if (read.data.data.value !== name) throw new Error(`read ${JSON.stringify(read.data)}`);
  const listed = await vault.list('secret/metadata');
  if (!listed.data.keys.includes(name)) throw new Error('list: not there');
  await vault.tokenLookupSelf();
  await vault.delete(`secret/data/${name}`);
}

flow(process.argv[2]).then(
  () => console.log('ok'),
  (error) => {
    console.error(error.message, error.response ? error.response.statusCode : '');
    process.exit(1);
  });
