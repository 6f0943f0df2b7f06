using System.Net;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace StreamMetrics.Archiver.Archive;

/// <summary>The archive in a bucket. Objects are atomic; large ones go up in parts.</summary>
sealed class S3Store(ArchiveOptions options, long partBytes = S3Store.DefaultPartBytes) : IArchiveStore, IDisposable
{
    /// <summary>
    /// Bytes of a part. A failed part is sent again whole. The SDK would send it in chunks, which not every server knows, so that is off.
    /// </summary>
    public const long DefaultPartBytes = 64 << 20;

    readonly AmazonS3Client _client = Connect(options);

    public string Location => string.IsNullOrEmpty(options.Endpoint) ? $"s3://{options.Bucket}/{options.Prefix}" : $"{options.Endpoint.TrimEnd('/')}/{options.Bucket}/{options.Prefix}";

    public string WorkFolder => Directory.CreateDirectory(string.IsNullOrEmpty(options.WorkDirectory) ? Path.GetTempPath() : options.WorkDirectory).FullName;

    public async Task PutAsync(string name, string workFile, CancellationToken cancellationToken)
    {
        var key = options.Prefix + name;
        if (new FileInfo(workFile).Length <= partBytes)
        {
            await _client.PutObjectAsync(new() { BucketName = options.Bucket, Key = key, FilePath = workFile, UseChunkEncoding = false }, cancellationToken);
        }
        else
        {
            await PutInPartsAsync(key, workFile, cancellationToken);
        }

        File.Delete(workFile);
    }

    public async Task<Stream?> OpenAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await _client.GetObjectAsync(options.Bucket, options.Prefix + name, cancellationToken);
            return answer.ResponseStream;
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound && e.ErrorCode == "NoSuchKey")
        {
            return null;
        }
    }

    public async Task<IReadOnlyList<string>> ListAsync(string ending, CancellationToken cancellationToken)
    {
        var names = new List<string>();
        var request = new ListObjectsV2Request { BucketName = options.Bucket, Prefix = options.Prefix };
        ListObjectsV2Response page;
        do
        {
            page = await _client.ListObjectsV2Async(request, cancellationToken);
            // An empty page has no list.
            names.AddRange((page.S3Objects ?? []).Select(o => o.Key[options.Prefix.Length..]).Where(k => k.EndsWith(ending, StringComparison.Ordinal)));
            request.ContinuationToken = page.NextContinuationToken;
        }
        while (page.IsTruncated == true);
        return [.. names.Order(StringComparer.Ordinal)];
    }

    async Task PutInPartsAsync(string key, string workFile, CancellationToken cancellationToken)
    {
        var upload = await _client.InitiateMultipartUploadAsync(new() { BucketName = options.Bucket, Key = key }, cancellationToken);
        try
        {
            var parts = new List<PartETag>();
            var length = new FileInfo(workFile).Length;
            for (var position = 0L; position < length; position += partBytes)
            {
                var part = await _client.UploadPartAsync(
                    new()
                    {
                        BucketName = options.Bucket, Key = key, UploadId = upload.UploadId, PartNumber = parts.Count + 1, FilePath = workFile, FilePosition = position,
                        PartSize = Math.Min(partBytes, length - position), UseChunkEncoding = false,
                    },
                    cancellationToken);
                parts.Add(new(parts.Count + 1, part.ETag));
            }

            await _client.CompleteMultipartUploadAsync(new() { BucketName = options.Bucket, Key = key, UploadId = upload.UploadId, PartETags = parts }, cancellationToken);
        }
        catch
        {
            // Parts of an upload that was given up cost money for ever.
            await _client.AbortMultipartUploadAsync(new() { BucketName = options.Bucket, Key = key, UploadId = upload.UploadId }, CancellationToken.None);
            throw;
        }
    }

    public void Dispose() => _client.Dispose();

    static AmazonS3Client Connect(ArchiveOptions options)
    {
        var config = new AmazonS3Config
        {
            // Other servers do not all know the checksums that the SDK adds by itself; the manifest has ours.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        if (string.IsNullOrEmpty(options.Endpoint)) config.RegionEndpoint = RegionEndpoint.GetBySystemName(options.Region);
        else (config.ServiceURL, config.ForcePathStyle, config.AuthenticationRegion) = (options.Endpoint, true, options.Region);
        return string.IsNullOrEmpty(options.AccessKey) ? new(config) : new(new BasicAWSCredentials(options.AccessKey, options.SecretKey), config);
    }
}
