// What a page does with cos-js-sdk-v5 against another origin. drive.py calls run(settings) and prints what it gives.
'use strict';

let cos, common, closed, settings;
const checks = [];
const check = (name, run) => checks.push([name, run]);

function same(seen, wanted) {
  const [a, b] = [JSON.stringify(seen), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${a} instead of ${b}`);
}

async function refused(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it was not refused');
}

const rules = (...pairs) => JSON.stringify({ is_pic_info: 1, rules: pairs.map(([fileid, rule]) => ({ fileid, rule })) });
const picture = async () => (await fetch('/picture.png')).blob();
const sizeOf = async (blob) => {
  const { width, height } = await createImageBitmap(blob);
  return [width, height];
};
const text = (blob) => blob.text();
const body = async (Key, more = {}) => (await cos.getObject({ ...common, Key, DataType: 'blob', ...more })).Body;

check('a page uploads a picture and gets its derivatives', async () => {
  const small = ['small.webp', 'imageMogr2/thumbnail/100x/format/webp'];
  const Headers = { 'Pic-Operations': rules(small, ['/root.jpg', 'imageMogr2/rotate/90/format/jpg']) };
  const put = await cos.putObject({ ...common, Key: 'in/图 1.png', Body: await picture(), Headers });
  same(put.UploadResult.ProcessResults.Object.map((item) => item.Key), ['in/small.webp', 'root.jpg']);
  same(put.UploadResult.OriginalInfo.ImageInfo.Width, '400');
  same(/^"[0-9a-f]{32}"$/.test(put.ETag), true);
});

check('the browser decodes the derivatives', async () => {
  same(await sizeOf(await body('in/small.webp')), [100, 75]);
  same(await sizeOf(await body('root.jpg')), [300, 400]);
  same((await body('in/small.webp')).type, 'image/webp');
});

check('an image element shows a processed download', async () => {
  const url = cos.getObjectUrl({ ...common, Key: 'in/图 1.png', Sign: true, QueryString: 'imageMogr2/thumbnail/!50p' }, () => {});
  const image = new Image();
  await new Promise((resolve, reject) => {
    Object.assign(image, { onload: resolve, onerror: () => reject(new Error(`${url} does not load`)), src: url });
  });
  same([image.naturalWidth, image.naturalHeight], [200, 150]);
});

check('text and metadata go up and come back', async () => {
  await cos.putObject({ ...common, Key: '文 +&?#.txt', Body: 'hello', Headers: { 'x-cos-meta-a': 'b' } });
  same(await text(await body('文 +&?#.txt')), 'hello');
  const head = await cos.headObject({ ...common, Key: '文 +&?#.txt' });
  same([head.headers['x-cos-meta-a'], head.headers['content-length']], ['b', '5']);
  same(await text(await body('文 +&?#.txt', { Range: 'bytes=1-3' })), 'ell');
});

check('a file goes up in slices', async () => {
  const bytes = new Uint8Array(3 * 1024 * 1024 + 5).map((_, n) => (n * 31) % 251);
  let percent = 0;
  const onProgress = (info) => (percent = info.percent);
  const done = await cos.uploadFile({ ...common, Key: 'big', Body: new File([bytes], 'big'), SliceSize: 1024 * 1024, onProgress });
  same([/-4"$/.test(done.ETag), percent], [true, 1]);
  const back = new Uint8Array(await (await body('big')).arrayBuffer());
  same([back.length, back.every((value, n) => value === bytes[n])], [bytes.length, true]);
});

check('objects are listed, copied and deleted', async () => {
  const CopySource = `${common.Bucket}.cos.${common.Region}.myqcloud.com/big`;
  await cos.putObjectCopy({ ...common, Key: 'copy', CopySource });
  same((await cos.getBucket({ ...common, Prefix: 'c' })).Contents.map((item) => item.Key), ['copy']);
  await cos.deleteMultipleObject({ ...common, Objects: [{ Key: 'copy' }] });
  same((await cos.getBucket({ ...common, Prefix: 'c' })).Contents, []);
});

check('a page reads the error of what is not there', async () => {
  const error = await refused(cos.getObject({ ...common, Key: 'no such' }));
  same([error.statusCode, error.code], [404, 'NoSuchKey']);
});

check('a bad rule is refused with a reason', async () => {
  const Headers = { 'Pic-Operations': rules(['/never.png', 'imageMogr2/thumbnail/nonsense']) };
  const error = await refused(cos.putObject({ ...common, Key: 'bad.png', Body: await picture(), Headers }));
  same([error.statusCode, Boolean(error.code && error.message)], [400, true]);
});

check('a bucket without CORS rules stays closed to pages', async () => {
  const error = await refused(cos.putObject({ ...common, Bucket: closed, Key: 'a', Body: 'x' }));
  same(Boolean(error.statusCode), false);
});

check('a method that no rule allows stays closed to pages', async () => {
  const url = cos.getObjectUrl({ ...common, Key: 'big', Sign: false }, () => {});
  await refused(fetch(url, { method: 'PATCH' }));
});

async function run(given) {
  settings = given;
  common = { Bucket: given.bucket, Region: given.region };
  closed = given.closed;
  cos = new COS({
    SecretId: given.secretId, SecretKey: given.secretKey, Protocol: 'http:',
    Domain: `{Bucket}.localhost:${given.port}`, ChunkSize: 1024 * 1024,
  });
  const results = [];
  for (const [name, action] of checks) {
    let error = '';
    try {
      await action();
    } catch (caught) {
      error = caught instanceof Error ? caught.stack : JSON.stringify(caught);
    }
    results.push({ check: name, error });
  }
  return results;
}
