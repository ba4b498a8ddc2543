package org.sparkqlora.cli;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.sparkqlora.options.Required;

/** A run on S3, served by moto on this machine. */
@Tag("platform")
class S3IT extends StoreContract {
    private @Nullable MotoServer server;

    @Override
    String root() {
        return "s3a://bucket";
    }

    @Override
    Map<String, String> settings() {
        MotoServer started = MotoServer.start();
        server = started;
        started.createBucket("bucket");
        return Map.of(
                "fs.s3a.endpoint",
                started.url(),
                "fs.s3a.endpoint.region",
                "us-east-1",
                "fs.s3a.path.style.access",
                "true",
                "fs.s3a.connection.ssl.enabled",
                "false",
                "fs.s3a.access.key",
                "test",
                "fs.s3a.secret.key",
                "test",
                "fs.s3a.aws.credentials.provider",
                "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider");
    }

    @AfterAll
    void stopServer() {
        Required.value("server", server).close();
    }
}
