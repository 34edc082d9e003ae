/** What a producer of a Kinesis video stream is told to have, as it was published: a comma too many and a wrong prefix. */
export const producerAsPublished = policyOfTwo('GenerateDataKey', 'PutMedia');

/** The same for a consumer. */
export const consumerAsPublished = policyOfTwo('Decrypt', 'GetMedia');

function policyOfTwo(keyAction: string, streamAction: string): string {
  return `{
  "Version": "2012-10-17",
  "Statement": [
    {
        "Effect": "Allow",
        "Action": [
            "kms:${keyAction}"
        ],
        "Resource": "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    }, 
    {
        "Effect": "Allow",
        "Action": [
            "kinesis-video:${streamAction}",
        ],
        "Resource": "arn:aws:kinesis-video:*:123456789012:MyStream"
    }
  ]
}
`;
}

/** The trust policy of a role for MediaConnect, as it was published: with four commas too many. */
export const mediaConnectTrustAsPublished = `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {
        "Service": "mediaconnect.amazonaws.com",
      },
      "Action": "sts:AssumeRole",
    },
  ],
}
`;

/** What MediaConnect needs to read a secret, as it was published. */
export const mediaConnectSecretPolicy = `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": [
        "secretsmanager:GetResourcePolicy",
        "secretsmanager:GetSecretValue",
        "secretsmanager:DescribeSecret",
        "secretsmanager:ListSecretVersionIds"
      ],
      "Resource": [
        "arn:aws:secretsmanager:us-west-2:111122223333:secret:aes256-7g8H9i"
      ]
    }
  ]
}
`;

/** The trust policy of a role for MediaConvert. */
export const mediaConvertTrust = `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": { "Service": "mediaconvert.amazonaws.com" },
      "Action": "sts:AssumeRole"
    }
  ]
}
`;
