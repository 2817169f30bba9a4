// The main calls of cos-nodejs-sdk-v5, one line of JSON a check. The module's path and coslocal come in the environment.
'use strict';
const assert = require('assert');
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const path = require('path');

const { MODULE, URL_OF_COSLOCAL, SECRET_ID, SECRET_KEY, BUCKET, REGION: Region, ROOM, PICTURE } = process.env;
const COS = require(MODULE);
const Bucket = BUCKET;
const common = { Bucket, Region };
const settings = { SecretId: SECRET_ID, SecretKey: SECRET_KEY, Protocol: 'http:', Proxy: URL_OF_COSLOCAL };
const cos = new COS({ ...settings, ChunkSize: 1024 * 1024, SliceSize: 1024 * 1024, UploadCheckContentMd5: true });
const authority = URL_OF_COSLOCAL.replace('http://', '');
const ODD = '目录/a b+&=%41?#\'"()*!~;.txt';

const checks = [];
const check = (name, run) => checks.push([name, run]);
const md5 = (data) => crypto.createHash('md5').update(data).digest('hex');
const file = (name, size) => {
  const where = path.join(ROOM, name);
  fs.writeFileSync(where, crypto.randomBytes(size));
  return where;
};

async function refused(status, code, promise) {
  let seen = null;
  try {
    await promise;
  } catch (error) {
    seen = error;
  }
  assert(seen, `it was not refused with ${status} ${code}`);
  assert.deepStrictEqual([seen.statusCode, seen.code || (seen.error && seen.error.Code)], [status, code]);
}

// A plain HTTP request through coslocal as the proxy.
function fetched(url, { method = 'GET', body, headers = {} } = {}) {
  const { hostname, port } = new URL(URL_OF_COSLOCAL);
  return new Promise((resolve, reject) => {
    const host = new URL(url).host;
    const request = http.request({ hostname, port, method, path: url, headers: { Host: host, ...headers } }, (answer) => {
      const pieces = [];
      answer.on('data', (piece) => pieces.push(piece));
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(pieces) }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

check('buckets come and go', async () => {
  await cos.putBucket(common);
  await refused(409, 'BucketAlreadyOwnedByYou', cos.putBucket(common));
  const head = await cos.headBucket(common);
  assert.strictEqual(head.headers['x-cos-bucket-region'], Region);
  const listed = await cos.getService({});
  assert(listed.Buckets.some((item) => item.Name === Bucket && item.Location === Region));
  assert.strictEqual((await cos.getBucketLocation(common)).LocationConstraint, Region);
});

check('bytes and headers come back', async () => {
  const body = crypto.randomBytes(100000);
  const put = await cos.putObject({ ...common, Key: ODD, Body: body, ContentType: 'x/y', Headers: { 'x-cos-meta-a': 'b' } });
  assert.strictEqual(put.ETag, `"${md5(body)}"`);
  const got = await cos.getObject({ ...common, Key: ODD });
  assert(got.Body.equals(body));
  const head = await cos.headObject({ ...common, Key: ODD });
  assert.deepStrictEqual([head.headers['content-type'], head.headers['x-cos-meta-a']], ['x/y', 'b']);
});

check('streams and strings go up', async () => {
  await cos.putObject({ ...common, Key: 'stream', Body: fs.createReadStream(file('stream', 3000000)), ContentLength: 3000000 });
  assert.strictEqual((await cos.headObject({ ...common, Key: 'stream' })).headers['content-length'], '3000000');
  await cos.putObject({ ...common, Key: 'text.html', Body: '你好' });
  const got = await cos.getObject({ ...common, Key: 'text.html' });
  assert.deepStrictEqual([got.Body.toString(), got.headers['content-type']], ['你好', 'text/html']);
  await cos.putObject({ ...common, Key: 'empty', Body: '' });
  assert.strictEqual((await cos.headObject({ ...common, Key: 'empty' })).headers['content-length'], '0');
});

check('a stream comes down', async () => {
  await cos.putObject({ ...common, Key: 'down', Body: 'hello' });
  const where = path.join(ROOM, 'down');
  await cos.getObject({ ...common, Key: 'down', Output: fs.createWriteStream(where) });
  assert.strictEqual(fs.readFileSync(where, 'utf8'), 'hello');
  const pieces = [];
  await new Promise((resolve, reject) => {
    const stream = cos.getObjectStream({ ...common, Key: 'down' }, (error) => error && reject(error));
    stream.on('data', (piece) => pieces.push(piece)).on('end', resolve);
  });
  assert.strictEqual(Buffer.concat(pieces).toString(), 'hello');
});

check('ranges and conditions', async () => {
  const { ETag } = await cos.putObject({ ...common, Key: 'r', Body: '0123456789' });
  const part = await cos.getObject({ ...common, Key: 'r', Range: 'bytes=2-4' });
  assert.deepStrictEqual([part.statusCode, part.Body.toString()], [206, '234']);
  await refused(412, 'PreconditionFailed', cos.getObject({ ...common, Key: 'r', IfMatch: '"other"' }));
  const { headers } = await cos.headObject({ ...common, Key: 'r', IfMatch: ETag });
  const same = await cos.headObject({ ...common, Key: 'r', IfModifiedSince: headers['last-modified'] });
  assert(same.NotModified);
});

check('what is not there', async () => {
  await refused(404, 'NoSuchKey', cos.getObject({ ...common, Key: 'no such' }));
  await refused(404, 'NoSuchBucket', cos.getBucket({ ...common, Bucket: 'no-such-1250000000' }));
  const gone = await cos.deleteObject({ ...common, Key: 'no such' });
  assert([204, 404].includes(gone.statusCode));
});

check('listings fold and page', async () => {
  for (const Key of ['l/a/1', 'l/a/2', 'l/b', 'l/中 文+']) await cos.putObject({ ...common, Key, Body: 'x' });
  const folded = await cos.getBucket({ ...common, Prefix: 'l/', Delimiter: '/' });
  assert.deepStrictEqual(folded.CommonPrefixes.map((item) => item.Prefix), ['l/a/']);
  assert.deepStrictEqual(folded.Contents.map((item) => item.Key), ['l/b', 'l/中 文+']);
  const first = await cos.getBucket({ ...common, Prefix: 'l/', MaxKeys: 1 });
  assert.deepStrictEqual([first.IsTruncated, first.NextMarker], ['true', 'l/a/1']);
  const rest = await cos.getBucket({ ...common, Prefix: 'l/', Marker: first.NextMarker });
  assert.strictEqual(rest.Contents.length, 3);
  const versions = await cos.listObjectVersions({ ...common, Prefix: 'l/a/' });
  assert.deepStrictEqual(versions.Versions.map((item) => item.Key), ['l/a/1', 'l/a/2']);
});

check('many are deleted at once', async () => {
  const Objects = ['d/1', 'd/2', ODD, 'never was'].map((Key) => ({ Key }));
  await cos.putObject({ ...common, Key: 'd/1', Body: '' });
  const answer = await cos.deleteMultipleObject({ ...common, Objects });
  assert.strictEqual(answer.Deleted.length, 4);
  await refused(404, 'NoSuchKey', cos.getObject({ ...common, Key: ODD }));
});

check('objects are copied', async () => {
  await cos.putObject({ ...common, Key: 'c/源 +.txt', Body: 'hello', Headers: { 'x-cos-meta-a': '1' } });
  const CopySource = `${Bucket}.cos.${Region}.myqcloud.com/${encodeURIComponent('c/源 +.txt').replace(/%2F/g, '/')}`;
  const copied = await cos.putObjectCopy({ ...common, Key: 'c/copy', CopySource });
  assert.strictEqual(copied.ETag, `"${md5('hello')}"`);
  assert.strictEqual((await cos.headObject({ ...common, Key: 'c/copy' })).headers['x-cos-meta-a'], '1');
  const slow = { ...common, Key: 'c/slices', CopySource: `${Bucket}.cos.${Region}.myqcloud.com/stream` };
  await cos.sliceCopyFile({ ...slow, CopySliceSize: 1024 * 1024, CopyChunkSize: 1024 * 1024 });
  assert.strictEqual((await cos.headObject({ ...common, Key: 'c/slices' })).headers['content-length'], '3000000');
});

check('a file goes up in slices', async () => {
  const FilePath = file('slices', 5 * 1024 * 1024 + 3);
  let percent = 0;
  const done = await cos.sliceUploadFile({ ...common, Key: 'slices', FilePath, onProgress: (info) => (percent = info.percent) });
  assert(/^"[0-9a-f]{32}-6"$/.test(done.ETag), done.ETag);
  assert.strictEqual(percent, 1);
  const got = await cos.getObject({ ...common, Key: 'slices' });
  assert.strictEqual(md5(got.Body), md5(fs.readFileSync(FilePath)));
});

check('an upload in slices is resumed', async () => {
  const FilePath = file('resumed', 3 * 1024 * 1024);
  const { UploadId } = await cos.multipartInit({ ...common, Key: 'resumed' });
  const first = fs.readFileSync(FilePath).subarray(0, 1024 * 1024);
  await cos.multipartUpload({ ...common, Key: 'resumed', UploadId, PartNumber: 1, Body: first });
  const parts = await cos.multipartListPart({ ...common, Key: 'resumed', UploadId });
  assert.deepStrictEqual(parts.Part.map((part) => [part.PartNumber, part.Size]), [['1', '1048576']]);
  await cos.sliceUploadFile({ ...common, Key: 'resumed', FilePath });
  const left = await cos.multipartList({ ...common, Prefix: 'resumed' });
  assert.strictEqual((left.Upload || []).length, 0);
});

check('several files go up in one call', async () => {
  const files = ['m1', 'm2'].map((Key) => ({ ...common, Key, FilePath: file(Key, 1500000) }));
  const done = await cos.uploadFiles({ files, SliceSize: 1024 * 1024 });
  assert.deepStrictEqual(done.files.map((item) => item.error), [null, null]);
});

check('a file comes down in parts', async () => {
  const FilePath = path.join(ROOM, 'parts.down');
  await cos.downloadFile({ ...common, Key: 'slices', FilePath, ChunkSize: 1024 * 1024, ParallelLimit: 3 });
  assert.strictEqual(md5(fs.readFileSync(FilePath)), md5(fs.readFileSync(path.join(ROOM, 'slices'))));
});

check('uploads are aborted', async () => {
  await cos.multipartInit({ ...common, Key: 'abort' });
  await cos.abortUploadTask({ ...common, Key: 'abort', Level: 'file' });
  assert.strictEqual(((await cos.multipartList({ ...common, Prefix: 'abort' })).Upload || []).length, 0);
});

check('appends grow an object', async () => {
  const first = await cos.appendObject({ ...common, Key: 'log', Position: 0, Body: 'one ' });
  await cos.appendObject({ ...common, Key: 'log', Position: first.headers['x-cos-next-append-position'], Body: 'two' });
  assert.strictEqual((await cos.getObject({ ...common, Key: 'log' })).Body.toString(), 'one two');
  await refused(409, 'PositionNotEqualToLength', cos.appendObject({ ...common, Key: 'log', Position: 1, Body: 'x' }));
});

check('ACLs', async () => {
  await cos.putBucketAcl({ ...common, ACL: 'public-read' });
  assert.strictEqual((await cos.getBucketAcl(common)).ACL, 'public-read');
  const ID = 'qcs::cam::uin/10002:uin/10002';
  const Owner = { ID: 'qcs::cam::uin/10001:uin/10001' };
  await cos.putBucketAcl({ ...common, AccessControlPolicy: { Owner, Grants: [{ Grantee: { ID }, Permission: 'READ' }] } });
  const { Grants } = await cos.getBucketAcl(common);
  assert.deepStrictEqual(Grants.map((grant) => [grant.Grantee.ID, grant.Permission]), [[ID, 'READ']]);
  await cos.putBucketAcl({ ...common, ACL: 'private' });
  await cos.putObjectAcl({ ...common, Key: 'r', ACL: 'public-read' });
  assert.strictEqual((await cos.getObjectAcl({ ...common, Key: 'r' })).ACL, 'public-read');
  const open = await fetched(cos.getObjectUrl({ ...common, Key: 'r', Sign: false }));
  assert.deepStrictEqual([open.status, open.body.toString()], [200, '0123456789']);
});

check('CORS, stored and answered', async () => {
  const rule = { AllowedOrigins: ['http://a.com'], AllowedMethods: ['PUT'], AllowedHeaders: ['*'], MaxAgeSeconds: '5' };
  await cos.putBucketCors({ ...common, CORSRules: [{ ...rule, ExposeHeaders: ['ETag'] }] });
  assert.strictEqual((await cos.getBucketCors(common)).CORSRules[0].AllowedOrigins[0], 'http://a.com');
  const asked = { Origin: 'http://a.com', AccessControlRequestMethod: 'PUT', AccessControlRequestHeaders: 'x-a' };
  const allowed = await cos.optionsObject({ ...common, Key: 'r', ...asked });
  assert.strictEqual(allowed.headers['access-control-allow-origin'], 'http://a.com');
  const refusal = await cos.optionsObject({ ...common, Key: 'r', ...asked, Origin: 'http://b.com' });
  assert(refusal.OptionsForbidden);
  await cos.deleteBucketCors(common);
  assert.deepStrictEqual((await cos.getBucketCors(common)).CORSRules, []);
});

check('tags', async () => {
  const Tags = [{ Key: 'k', Value: 'v' }, { Key: '中', Value: '文' }];
  await cos.putBucketTagging({ ...common, Tags });
  assert.deepStrictEqual((await cos.getBucketTagging(common)).Tags, Tags);
  await cos.deleteBucketTagging(common);
  await cos.putObjectTagging({ ...common, Key: 'r', Tags });
  assert.deepStrictEqual((await cos.getObjectTagging({ ...common, Key: 'r' })).Tags, Tags);
  await cos.deleteObjectTagging({ ...common, Key: 'r' });
});

check('lifecycle', async () => {
  const Rules = [{ ID: '1', Filter: { Prefix: 'a/' }, Status: 'Enabled', Expiration: { Days: '5' } }];
  await cos.putBucketLifecycle({ ...common, Rules });
  assert.strictEqual((await cos.getBucketLifecycle(common)).Rules[0].Expiration.Days, '5');
  await cos.deleteBucketLifecycle(common);
  assert.deepStrictEqual((await cos.getBucketLifecycle(common)).Rules, []);
});

check('policy', async () => {
  const statement = [{ effect: 'allow', action: ['name/cos:*'], resource: ['*'], principal: { qcs: ['*'] } }];
  await cos.putBucketPolicy({ ...common, Policy: { version: '2.0', statement } });
  const { Policy } = await cos.getBucketPolicy(common);
  assert.deepStrictEqual(Policy.Statement[0].resource, ['*']);
  await cos.deleteBucketPolicy(common);
  await refused(404, 'NoSuchBucketPolicy', cos.getBucketPolicy(common));
});

check('website, referer, domain, origin', async () => {
  const WebsiteConfiguration = { IndexDocument: { Suffix: 'index.html' } };
  await cos.putBucketWebsite({ ...common, WebsiteConfiguration });
  assert.strictEqual((await cos.getBucketWebsite(common)).WebsiteConfiguration.IndexDocument.Suffix, 'index.html');
  await cos.deleteBucketWebsite(common);
  const referer = { Status: 'Enabled', RefererType: 'White-List', DomainList: { Domains: ['a.com', 'b.com'] } };
  await cos.putBucketReferer({ ...common, RefererConfiguration: referer });
  const given = (await cos.getBucketReferer(common)).RefererConfiguration;
  assert.deepStrictEqual(given.DomainList.Domains, ['a.com', 'b.com']);
  await cos.putBucketDomain({ ...common, DomainRule: [{ Status: 'ENABLED', Name: 'www.a.com', Type: 'REST' }] });
  assert.strictEqual((await cos.getBucketDomain(common)).DomainRule[0].Name, 'www.a.com');
  await cos.deleteBucketDomain(common);
  const info = { OriginInfo: { HostInfo: { HostName: 'b.com' } }, OriginParameter: { Protocol: 'HTTP' } };
  await cos.putBucketOrigin({ ...common, OriginRule: [{ OriginType: 'Mirror', ...info }] });
  assert.strictEqual((await cos.getBucketOrigin(common)).OriginRule[0].OriginType, 'Mirror');
  await cos.deleteBucketOrigin(common);
});

check('versioning, logging, encryption, inventory, acceleration', async () => {
  await cos.putBucketVersioning({ ...common, VersioningConfiguration: { Status: 'Suspended' } });
  assert.strictEqual((await cos.getBucketVersioning(common)).VersioningConfiguration.Status, 'Suspended');
  const LoggingEnabled = { TargetBucket: Bucket, TargetPrefix: 'log/' };
  await cos.putBucketLogging({ ...common, BucketLoggingStatus: { LoggingEnabled } });
  const logging = (await cos.getBucketLogging(common)).BucketLoggingStatus.LoggingEnabled;
  assert.strictEqual(logging.TargetPrefix, 'log/');
  const algorithm = { ApplySideEncryptionConfiguration: { SSEAlgorithm: 'AES256' } };
  await cos.putBucketEncryption({ ...common, ServerSideEncryptionConfiguration: { Rule: [algorithm] } });
  assert((await cos.getBucketEncryption(common)).EncryptionConfiguration);
  await cos.deleteBucketEncryption(common);
  const COSBucketDestination = { Format: 'CSV', AccountId: '1', Bucket: `qcs::cos:${Region}::${Bucket}` };
  const inventory = { Id: 'one', IsEnabled: 'true', Destination: { COSBucketDestination }, IncludedObjectVersions: 'All' };
  inventory.Schedule = { Frequency: 'Daily' };
  await cos.putBucketInventory({ ...common, Id: 'one', InventoryConfiguration: inventory });
  assert.strictEqual((await cos.getBucketInventory({ ...common, Id: 'one' })).InventoryConfiguration.Id, 'one');
  assert((await cos.listBucketInventory(common)).InventoryConfigurations);
  await cos.deleteBucketInventory({ ...common, Id: 'one' });
  await cos.putBucketAccelerate({ ...common, AccelerateConfiguration: { Status: 'Enabled', Type: 'COS' } });
  assert.strictEqual((await cos.getBucketAccelerate(common)).AccelerateConfiguration.Status, 'Enabled');
});

check('an archived object is restored', async () => {
  await cos.putObject({ ...common, Key: 'cold', Body: 'x', StorageClass: 'ARCHIVE' });
  await refused(403, 'InvalidObjectState', cos.getObject({ ...common, Key: 'cold' }));
  const RestoreRequest = { Days: 1, CASJobParameters: { Tier: 'Expedited' } };
  await cos.restoreObject({ ...common, Key: 'cold', RestoreRequest });
  assert.strictEqual((await cos.getObject({ ...common, Key: 'cold' })).Body.toString(), 'x');
});

check('signed URLs work in every form', async () => {
  const Key = '签名 +.txt';
  const url = (more) => cos.getObjectUrl({ ...common, Key, Sign: true, ...more });
  assert.strictEqual((await fetched(url({ Method: 'PUT' }), { method: 'PUT', body: 'x' })).status, 200);
  assert.strictEqual((await fetched(url({}))).body.toString(), 'x');
  const typed = await fetched(url({ Query: { 'response-content-type': 'text/x' } }));
  assert.strictEqual(typed.headers['content-type'], 'text/x');
  const Authorization = cos.getAuth({ Method: 'GET', Key, Headers: {}, Query: {} });
  const bare = `${cos.getObjectUrl({ ...common, Key, Sign: false })}?${Authorization}`;
  assert.strictEqual((await fetched(bare)).status, 200);
  const whole = `${cos.getObjectUrl({ ...common, Key, Sign: false })}?sign=${encodeURIComponent(Authorization)}`;
  assert.strictEqual((await fetched(whole)).status, 200);
  assert.strictEqual((await fetched(url({ Method: 'PUT' }))).status, 403);
  assert.strictEqual((await fetched(cos.getObjectUrl({ ...common, Key, Sign: false }))).status, 403);
});

check('temporary credentials and other addresses', async () => {
  const temporary = new COS({
    Protocol: 'http:',
    Proxy: URL_OF_COSLOCAL,
    getAuthorization: (_, callback) => {
      const now = Math.floor(Date.now() / 1000);
      const keys = { TmpSecretId: SECRET_ID, TmpSecretKey: SECRET_KEY, SecurityToken: 'token' };
      callback({ ...keys, StartTime: now - 60, ExpiredTime: now + 600 });
    },
  });
  await temporary.putObject({ ...common, Key: 'temporary', Body: 'x' });
  const { Proxy: _, ...direct } = settings;
  await new COS({ ...direct, Ip: authority }).putObject({ ...common, Key: 'by address', Body: 'x' });
  const other = new COS({ ...settings, Domain: '{Bucket}.cos.{Region}.tencentcos.cn' });
  await other.headObject({ ...common, Key: 'by address' });
  await refused(403, 'SignatureDoesNotMatch', new COS({ ...settings, SecretKey: 'wrong' }).getBucket(common));
});

const webp = (data) => data.subarray(0, 4).toString() === 'RIFF' && data.subarray(8, 12).toString() === 'WEBP';
const rules = (...pairs) => JSON.stringify({ is_pic_info: 1, rules: pairs.map(([fileid, rule]) => ({ fileid, rule })) });
const info = async (Key) => {
  const asked = await cos.request({ ...common, Key, Method: 'GET', Query: { imageInfo: '' }, RawBody: true });
  return JSON.parse(asked.Body.toString());
};

check('a put makes its derivatives', async () => {
  const Headers = { 'Pic-Operations': rules(['small.webp', 'imageMogr2/thumbnail/100x/format/webp']) };
  const put = await cos.putObject({ ...common, Key: 'in/a.png', Body: fs.readFileSync(PICTURE), Headers });
  const made = put.UploadResult.ProcessResults.Object;
  assert.deepStrictEqual([made[0] ? made[0].Key : made.Key, put.UploadResult.OriginalInfo.ImageInfo.Width], ['in/small.webp', '400']);
  assert(webp((await cos.getObject({ ...common, Key: 'in/small.webp' })).Body));
  const { width, height } = await info('in/small.webp');
  assert.deepStrictEqual([width, height], ['100', '75']);
});

check('an upload in parts makes its derivatives when it is completed', async () => {
  const { UploadId } = await cos.multipartInit({ ...common, Key: 'in/parts.png' });
  const Body = fs.readFileSync(PICTURE);
  const { ETag } = await cos.multipartUpload({ ...common, Key: 'in/parts.png', UploadId, PartNumber: 1, Body });
  const Headers = { 'Pic-Operations': rules(['/out/half.png', 'imageMogr2/thumbnail/!50p']) };
  const whole = { ...common, Key: 'in/parts.png', UploadId, Parts: [{ PartNumber: 1, ETag }], Headers };
  const done = await cos.multipartComplete(whole);
  const made = done.UploadResult.ProcessResults.Object;
  assert.strictEqual((made[0] || made).Key, 'out/half.png');
  assert.strictEqual((await info('out/half.png')).width, '200');
});

check('a stored object gets its derivatives', async () => {
  const Headers = { 'Pic-Operations': rules(['/out/1.jpg', 'imageMogr2/format/jpg'], ['/out/2.png', 'imageMogr2/rotate/90']) };
  const asked = { ...common, Key: 'in/a.png', Method: 'POST', Action: 'image_process', Headers };
  const done = await cos.request(asked);
  assert.deepStrictEqual(done.UploadResult.ProcessResults.Object.map((item) => item.Key), ['out/1.jpg', 'out/2.png']);
  assert.deepStrictEqual([(await info('out/1.jpg')).format, (await info('out/2.png')).height], ['jpeg', '400']);
});

check('downloads are processed', async () => {
  for (const QueryString of ['imageMogr2/thumbnail/!50p/format/webp', 'imageMogr2%2Fthumbnail%2F%2150p%2Fformat%2Fwebp']) {
    const got = await cos.getObject({ ...common, Key: 'in/a.png', QueryString });
    assert(webp(got.Body));
  }
  const signed = cos.getObjectUrl({ ...common, Key: 'in/a.png', Sign: true, QueryString: 'imageMogr2/format/webp' });
  assert(webp((await fetched(signed)).body));
});

check('bad rules are refused', async () => {
  for (const [Key, rule] of [['in/a.png', 'imageMogr2/thumbnail/nonsense'], ['r', 'imageMogr2/thumbnail/10x']]) {
    const Headers = { 'Pic-Operations': rules(['/never.png', rule]) };
    let seen = null;
    try {
      await cos.request({ ...common, Key, Method: 'POST', Action: 'image_process', Headers });
    } catch (error) {
      seen = error;
    }
    assert(seen && seen.statusCode >= 400 && seen.statusCode < 500 && seen.code, `${rule} on ${Key} was not refused`);
  }
  await refused(404, 'NoSuchKey', cos.getObject({ ...common, Key: 'never.png' }));
});

check('everything is cleared away', async () => {
  await refused(409, 'BucketNotEmpty', cos.deleteBucket(common));
  for (;;) {
    const { Contents } = await cos.getBucket({ ...common, MaxKeys: 10 });
    if (!Contents.length) break;
    await cos.deleteMultipleObject({ ...common, Objects: Contents.map(({ Key }) => ({ Key })) });
  }
  await cos.deleteBucket(common);
  await refused(404, 'NoSuchBucket', cos.getBucket(common));
});

(async () => {
  for (const [name, run] of checks) {
    let error = '';
    try {
      await run();
    } catch (caught) {
      error = caught instanceof Error ? caught.stack.slice(0, 1500) : JSON.stringify(caught).slice(0, 1500);
    }
    process.stdout.write(`${JSON.stringify({ check: name, error })}\n`);
  }
  process.exit(0);
})();
