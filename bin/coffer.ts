import { Command, Option } from 'commander';
import { LOG_LEVELS } from './config.ts';
import { preventMemoryDumps } from './no-memory-dumps.ts';
import { reportFailure } from './report-failure.ts';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Who read the output has gone (`| head`): there is nobody left to tell.
  if (error.code === 'EPIPE') process.exit(1);
  throw error;
});

preventMemoryDumps();

// Each command loads what it needs: `coffer env` runs in every new shell and must not load a whole platform.

/** The command line. Every command's help is its documentation. */
const program = new Command('coffer')
  .description('A self-hosted, AWS-compatible platform for encrypted media.')
  .showHelpAfterError('(coffer --help lists the commands)')
  .enablePositionalOptions();

const dataOption = () =>
  new Option('--data <folder>', 'the data folder (COFFER_DATA; default: coffer in the user’s data folder)');

program
  .command('start')
  .description('Run the platform until it is stopped.')
  .option('--host <address>', 'the address to listen on (COFFER_HOST; default: 127.0.0.1)')
  .option('--port <number>', 'the port, 0 for any free one (COFFER_PORT; default: 4566)')
  .addOption(dataOption())
  .addOption(new Option('--log-level <level>', 'how much to log (COFFER_LOG_LEVEL; default: info)').choices(LOG_LEVELS))
  .action(async (options) => (await import('./commands/start.ts')).start(options));

program
  .command('env')
  .description('Print what AWS tools need, for: eval "$(npx coffer env)"')
  .addOption(dataOption())
  .option('--json', 'print JSON instead of export lines')
  .action(async (options) => (await import('./commands/env.ts')).env(options));

const account = program.command('account').description('Accounts: create, list, delete.');
account
  .command('create')
  .description('Create accounts; each is printed as one line of JSON, with its root user’s access key.')
  .argument('[id]', 'twelve digits; drawn at random when absent')
  .option('--count <number>', 'how many', '1')
  .addOption(dataOption())
  .action(async (id: string | undefined, options) =>
    (await import('./commands/account.ts')).accountCreate(id, options),
  );
account
  .command('list')
  .description('List the accounts, one line of JSON each.')
  .addOption(dataOption())
  .action(async (options) => (await import('./commands/account.ts')).accountList(options));
account
  .command('delete')
  .description('Delete an account with everything in it: buckets and objects, keys, jobs, users and roles.')
  .argument('<id>', 'twelve digits')
  .addOption(dataOption())
  .action(async (id: string, options) => (await import('./commands/account.ts')).accountDelete(id, options));

program
  .command('verify')
  .description('Read everything that is stored encrypted, check it, and report what is damaged.')
  .option('--bucket <name>', 'only this bucket, with all objects, versions and uploads in it')
  .addOption(dataOption())
  .option('--json', 'print the report as JSON')
  .action(async (options) => (await import('./commands/verify.ts')).verify(options));

program
  .command('rewrap')
  .description('Put every object, version and upload of a bucket under another KMS key, without touching their data.')
  .requiredOption('--bucket <name>', 'the bucket')
  .requiredOption('--key <key>', 'the KMS key: its id, alias or ARN, in the account and Region of the bucket')
  .addOption(dataOption())
  .option('--json', 'print the report as JSON')
  .addHelpText(
    'after',
    `
The server goes on meanwhile. When the command is cut off, each object is under the one key or the other; run it again.
What is written afterwards is encrypted as its request or the bucket's default encryption says: change that first.
Objects under a customer's own key (SSE-C) are named and left. The exit status is 1 when something could not be moved.`,
  )
  .action(async (options) => (await import('./commands/rewrap.ts')).rewrap(options));

const rootKey = program.command('root-key').description('The root key: which one it is, and another one.');
rootKey
  .command('status')
  .description('Say where the root key is, when it was made, and how much is sealed under it.')
  .addOption(dataOption())
  .option('--json', 'print JSON')
  .action(async (options) => (await import('./commands/root-key.ts')).rootKeyStatus(options));
rootKey
  .command('rotate')
  .description('Put everything under a new root key, while the server runs. A kill at any moment loses nothing.')
  .addOption(
    new Option('--to <provider>', 'where the new one is (default: as the present one)').choices([
      'key-file',
      'passphrase',
      'pkcs11',
    ]),
  )
  .option('--key-file <path>', 'the new key file, which must not exist (default: beside the first one)')
  .option(
    '--end-sessions',
    'end temporary credentials and playback sessions; without it they go on for 36 hours at most',
  )
  .addOption(dataOption())
  .addHelpText(
    'after',
    `
A new passphrase comes from COFFER_NEW_ROOT_PASSPHRASE_FILE or COFFER_NEW_ROOT_PASSPHRASE. A token is named by
COFFER_PKCS11_MODULE, COFFER_PKCS11_TOKEN and COFFER_PKCS11_KEY; its PIN comes from COFFER_PKCS11_PIN_FILE or
COFFER_PKCS11_PIN.`,
  )
  .action(async (options) => (await import('./commands/root-key.ts')).rootKeyRotate(options));

program
  .command('usage')
  .description('Count the requests in the audit log: those to KMS by key, operation, principal and credential.')
  .option('--since <time>', 'such as 2026-11-20T08:30:00Z, or 90m, 12h, 7d ago (default: a day before --until)')
  .option('--until <time>', 'the same (default: now)')
  .option('--account <id>', 'the log of one account; every request of all accounts once when absent')
  .option('--month <month>', 'such as 2026-11: KMS requests by day instead, and what the same use costs at AWS')
  .option('--by <columns>', 'what KMS requests are told apart by (default: key,operation,principal,credential,via)')
  .addOption(dataOption())
  .option('--json', 'print the counts as JSON')
  .action(async (options) => (await import('./commands/usage.ts')).usage(options));

program
  .command('events')
  .description('Print what happened (flows, their sources and outputs), in the form of EventBridge’s events.')
  .option('--since <time>', 'such as 2026-11-20T08:30:00Z, or 90m, 12h, 7d ago (default: a day ago)')
  .option('--account <id>', 'those of one account')
  .option('--source <name>', 'those of one service, such as aws.mediaconnect')
  .option('--follow', 'go on with what happens from now on')
  .addOption(dataOption())
  .action(async (options) => (await import('./commands/events.ts')).events(options));

program
  .command('explain')
  .description('Say how a refused request was decided, statement by statement, and what would have allowed it.')
  .argument('<refusal>', 'the id of the request, or the encoded authorization message of its refusal')
  .addOption(dataOption())
  .option('--json', 'print JSON')
  .addHelpText(
    'after',
    `
The id is what SDKs call the request id; the message stands in the header x-coffer-authorization-message. The audit log
keeps refused requests for 90 days; a message can be explained later, too, but holds less.`,
  )
  .action(async (refusal: string, options) => (await import('./commands/explain.ts')).explain(refusal, options));

program
  .command('least-privilege')
  .description('Print the policy that covers what a role or user has used, by the audit log, and nothing else.')
  .option('--role <arn>', 'all sessions of a role')
  .option('--user <arn>', 'or a user')
  .option('--since <time>', 'such as 2026-11-20T08:30:00Z, or 90m, 12h, 7d ago (default: 7 days before --until)')
  .option('--until <time>', 'the same (default: now)')
  .addOption(dataOption())
  .option('--json', 'print JSON: the policy, what the log could not tell, and what ValidatePolicy finds')
  .action(async (options) => (await import('./commands/least-privilege.ts')).leastPrivilege(options));

const mediaconvert = program
  .command('mediaconvert')
  .description('MediaConvert: check a job before it runs, report on a shared one, play what it has protected.');
mediaconvert
  .command('preflight')
  .description('Say which permissions the role of a job lacks, and what would grant them. Nothing is read or written.')
  .argument('<job>', 'a file with what CreateJob is called with, in JSON')
  .option('--account <id>', 'whose job it is (default: the role’s account)')
  .option('--region <name>', 'where it runs (default: AWS_REGION)')
  .addOption(dataOption())
  .option('--json', 'print JSON')
  .addHelpText('after', '\nThe exit status is 0 when the role may do all that the job asks for.')
  .action(async (file: string, options) =>
    (await import('./commands/mediaconvert-preflight.ts')).mediaconvertPreflight(file, options),
  );

mediaconvert
  .command('support-bundle')
  .description(
    'Print what there is to know of a job that its owner has shared (CreateResourceShare): no keys, no media.',
  )
  .argument('<job>', 'the job’s id or ARN')
  .addOption(dataOption())
  .action(async (job: string, options) =>
    (await import('./commands/mediaconvert-support-bundle.ts')).mediaconvertSupportBundle(job, options),
  );

mediaconvert
  .command('licence-url')
  .description('Print an address under which a player gets the ClearKey licences of a content. Who has it can play.')
  .argument('<content>', 'the content id: resourceId in the job')
  .option('--expires <seconds>', 'how long the address works, 1 to 43200 (default: 3600)')
  .option('--token', 'print the token alone: it goes behind the addresses of keys as ?token=…')
  .addOption(dataOption())
  .addHelpText(
    'after',
    `
The server and the access key are those of the environment (AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_REGION …), as for
AWS's own tools; without them, those of the local installation.`,
  )
  .action(async (content: string, options) =>
    (await import('./commands/mediaconvert-licence-url.ts')).mediaconvertLicenceUrl(content, options),
  );

const kvs = program
  .command('kvs')
  .description('Kinesis Video Streams: send a camera or a file into a stream, watch a stream.')
  .addHelpText(
    'after',
    `
The server and the access key are those of the environment (AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_REGION …), as for
AWS's own tools; without them, those of the local installation.`,
  );
kvs
  .command('put')
  .description('Send media into a stream as it is (nothing is transcoded), and print each acknowledgement.')
  .argument('<stream>', 'the name or the ARN of the stream')
  .argument('<source>', 'a file; rtsp://…, srt://…, rtmp://…, udp://…, https://…; env:NAME; or - for standard input')
  .option('--create', 'make the stream if there is none')
  .option('--retention <hours>', 'with --create: how long it keeps its media, 0 for not at all (default: 24)')
  .option('--kms-key <id>', 'with --create: the key that encrypts it (default: aws/kinesisvideo)')
  .option('--as-fast-as-possible', 'do not wait until each frame’s time; for a live pipe, too')
  .option('--start <time>', 'when the media begins, such as 2026-11-20T08:30:00Z, or 90m ago (default: now)')
  .option('--no-audio', 'send the picture alone')
  .addOption(dataOption())
  .addHelpText(
    'after',
    `
Each fragment begins with a keyframe and ends with the end-of-fragment tag. Sound and picture are sent as they are:
HLS, DASH, clips and images want H.264 or H.265, with AAC or G.711. Ctrl-C ends the stream in good order.

An address with a password does not belong on a command line, which others can read:
  CAMERA=rtsp://user:password@camera/stream coffer kvs put door env:CAMERA

The exit status is 0 when every fragment was acknowledged.`,
  )
  .action(async (stream: string, source: string, options) =>
    (await import('./commands/kvs-put.ts')).kvsPut(stream, source, options),
  );
kvs
  .command('play')
  .description('Print an address under which a player finds the stream. Who has the address can watch.')
  .argument('<stream>', 'the name or the ARN of the stream')
  .option('--from <time>', 'play what is kept since then: 2026-11-20T08:30:00Z, or 90m, 12h, 7d ago')
  .option('--to <time>', 'and up to then, on demand; without it, on to what is live')
  .option('--dash', 'DASH instead of HLS')
  .option('--expires <seconds>', 'how long the address works, 300 to 43200 (default: 3600)')
  .addOption(dataOption())
  .action(async (stream: string, options) => (await import('./commands/kvs-play.ts')).kvsPlay(stream, options));

program
  .command('demo')
  .description('See encrypted media go through the whole platform, on a data folder of its own.')
  .argument('[video]', 'a video file to use instead of a test video')
  .option('--keep', 'leave the server running at the end, to look around')
  .action(async (video: string | undefined, options) => (await import('./commands/demo.ts')).demo(video, options));

program.parseAsync().catch(reportFailure);
