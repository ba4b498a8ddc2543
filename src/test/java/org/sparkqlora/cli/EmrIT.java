package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;

/** The DAGs for EMR, on EMR and S3 as moto serves them; a local spark-submit executes what a cluster's steps say. */
@Tag("platform")
class EmrIT {
    private static final int STEPS = 12;

    /** The jars that S3A needs beside Spark's own: Amazon's SDK, the first with Spark 3.5 and the second with Spark 4, and what it needs. */
    private static final Pattern S3_JARS = Pattern.compile(
            ".*/(hadoop-aws|aws-java-sdk|jmespath-java|ion-java|joda-time|jackson-dataformat-cbor|reactive-streams)-[^/]*|.*/software/amazon/.*");

    /** The account that moto works for. */
    private static final String ROLE = "arn:aws:iam::123456789012:role/spark-qlora-job";

    @TempDir
    private static Path folder;

    private static TrainRuns runs;
    private static Airflow airflow;
    private static EmrServer emr;

    @BeforeAll
    static void start() throws IOException, InterruptedException {
        runs = TrainRuns.in(Files.createDirectories(folder.resolve("bucket")));
        Path spark = SparkDistribution.home();
        Path conf = Files.createDirectories(folder.resolve("conf"));
        Map<String, String> variables = new HashMap<>(ClassArchive.variables());
        variables.put("SPARK_HOME", spark.toString());
        variables.put("SPARK_CONF_DIR", conf.toString());
        variables.put("PATH", spark.resolve("bin") + File.pathSeparator + System.getenv("PATH"));
        emr = EmrServer.start(folder.resolve("bucket"), variables, folder.resolve("emr.log"));
        Files.writeString(conf.resolve("spark-defaults.conf"), clusterDefaults());
        airflow = Airflow.in(folder.resolve("airflow"));
        airflow.set("AIRFLOW_CONN_AWS_DEFAULT", """
                {"conn_type": "aws", "login": "test", "password": "test",
                 "extra": {"region_name": "us-east-1", "endpoint_url": "%s"}}
                """.formatted(emr.url()));
        Map<String, Object> names = Pipeline.names(runs, "s3://bucket");
        names.put("model", "s3://bucket/model");
        names.put("data", "s3://bucket/data.jsonl");
        names.put("held_out", "s3://bucket/data.jsonl");
        names.put("inputs", List.of("s3://bucket/"));
        names.put("poll_seconds", 1);
        airflow.fillIn("qlora_emr", names);
        airflow.fillIn("qlora_emr", Map.of("cluster_id", emr.cluster(), "deploy_mode", "client"));
        airflow.fillIn("qlora_emr_serverless", names);
        airflow.fillIn(
                "qlora_emr_serverless",
                Map.of(
                        "application_id",
                        emr.application(),
                        "execution_role_arn",
                        ROLE,
                        "properties_file",
                        Pipeline.SETTINGS.toString()));
    }

    @AfterAll
    static void stop() {
        Sessions.stop();
        emr.close();
    }

    @Test
    void theStepsOfARunTrainAndPublishOnS3() throws IOException, InterruptedException {
        Airflow.Run run = airflow.test("qlora_emr", params("s3://bucket/model"));

        assertThat(run.code()).as(run.log() + log()).isZero();
        String calm = folder.resolve("calm").toString();
        CommandRun expected = Pipeline.calm(runs, calm, STEPS);
        assertThat(expected.code()).as(expected.err()).isEqualTo(ExitCode.OK);
        List<String> published = emr.keys("published/");
        assertThat(published.stream().map(key -> key.substring(key.lastIndexOf('/') + 1)))
                .contains("adapter_config.json", "published.json");
        assertThat(emr.bytes(ending(published, "/adapter_model.safetensors")))
                .isEqualTo(Files.readAllBytes(Path.of(calm, "adapter", "adapter_model.safetensors")));
        String last = ending(emr.keys("runs/"), "/results/publish.json");
        String results = last.substring(0, last.lastIndexOf('/') + 1);
        assertThat(emr.keys(results).stream().map(key -> key.substring(results.length())))
                .containsExactly(
                        "evaluate.json",
                        "gate.json",
                        "plan.json",
                        "prepare.json",
                        "publish.json",
                        "train.json",
                        "validate.json");
    }

    @Test
    void badInputIsNotTriedAgain() throws IOException, InterruptedException {
        Airflow.Run run = airflow.test("qlora_emr", params("s3://bucket/none"));

        assertThat(run.code()).as(run.log() + log()).isEqualTo(1);
        assertThat(run.log())
                .containsOnlyOnce("starting task_id=validate")
                .contains("AirflowFailException: Not tried again, for the same command fails again");
        String last = new String(
                emr.bytes(ending(newestFirst(emr.keys("runs/")), "/results/validate.json")), StandardCharsets.UTF_8);
        assertThat(last).contains("\"code\":64", "Cannot open model s3://bucket/none");
    }

    @Test
    void serverlessJobsGetTheSameCommandsAndTheSettings() throws IOException, InterruptedException {
        Airflow.Run run = airflow.test("qlora_emr_serverless", params("s3://bucket/model"));

        assertThat(run.code()).as(run.log()).isZero();
        JsonNode jobs = emr.serverlessJobs();
        List<String> commands = new ArrayList<>();
        for (JsonNode job : jobs) {
            JsonNode submit = job.at("/jobDriver/sparkSubmit");
            assertThat(submit.path("sparkSubmitParameters").asText()).isEqualTo("--class org.sparkqlora.cli.Main");
            assertThat(job.at("/configurationOverrides/applicationConfiguration/0/properties/spark.kryo.registrator")
                            .asText())
                    .isEqualTo("org.sparkqlora.spark.kryo.TrainRegistrator");
            List<String> words = new ArrayList<>();
            submit.path("entryPointArguments").forEach(word -> words.add(word.asText()));
            commands.add(words.get(0));
            assertThat(understood(words)).isEmpty();
        }

        assertThat(commands).containsExactly("train", "plan", "prepare", "train", "evaluate", "gate", "publish");
    }

    /** The problems of a command line. */
    private static List<String> understood(List<String> words) {
        return RootCommand.call(RootCommand.commandLine().parseArgs(words.toArray(String[]::new)))
                .usage();
    }

    private static Map<String, Object> params(String model) {
        Map<String, Object> params = Pipeline.params(STEPS);
        params.put("model", model);
        return params;
    }

    /** As the cluster's own: with S3 by Hadoop's file system in the place of EMR's. */
    private static String clusterDefaults() throws IOException {
        String jars = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
                .filter(S3_JARS.asMatchPredicate())
                .collect(Collectors.joining(File.pathSeparator));
        return Files.readString(Pipeline.SETTINGS)
                + Stream.of(
                                "spark.master local[2]",
                                "spark.driver.extraClassPath " + jars,
                                "spark.hadoop.fs.s3.impl org.apache.hadoop.fs.s3a.S3AFileSystem",
                                "spark.hadoop.fs.s3a.endpoint " + emr.url(),
                                "spark.hadoop.fs.s3a.endpoint.region us-east-1",
                                "spark.hadoop.fs.s3a.path.style.access true",
                                "spark.hadoop.fs.s3a.connection.ssl.enabled false",
                                "spark.hadoop.fs.s3a.access.key test",
                                "spark.hadoop.fs.s3a.secret.key test",
                                "spark.hadoop.fs.s3a.aws.credentials.provider"
                                        + " org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider")
                        .collect(Collectors.joining("\n", "\n", "\n"));
    }

    private static List<String> newestFirst(List<String> keys) {
        return keys.stream().sorted(Comparator.reverseOrder()).toList();
    }

    private static String ending(List<String> keys, String suffix) {
        return keys.stream().filter(key -> key.endsWith(suffix)).findFirst().orElseThrow();
    }

    private static String log() throws IOException {
        return Files.readString(folder.resolve("emr.log"));
    }
}
