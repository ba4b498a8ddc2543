package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The files of {@code deploy}, by the schemas of those who read them. */
@Tag("platform")
class DeployFilesIT {
    /** As many as are in the files, each counted once. */
    private static final int COMMANDS = 12;

    private static final Path ROOT = Path.of("").toAbsolutePath();
    private static final String JAR = ROOT.relativize(PythonPackage.jar()).toString();

    /** Misspelt, in a copy. */
    @Test
    void aWordThatItsReaderDoesNotKnowIsFound(@TempDir Path folder) throws IOException, InterruptedException {
        Path copy = folder.resolve("copy");
        for (String part : List.of("deploy", "spark-conf", "LICENSE", JAR)) {
            copy(Path.of(part), copy.resolve(part));
        }

        misspell(copy.resolve("deploy/kubernetes/spark-application.yaml"), "onFailureRetries", "onFailureRetrys");
        misspell(copy.resolve("deploy/kubernetes/access.yaml"), "podSelector", "podSelecter");
        misspell(copy.resolve("deploy/databricks/resources/qlora.job.yml"), "main_class_name", "main_class_nam");
        misspell(copy.resolve("deploy/emr/cluster-cpu.json"), "ReleaseLabel", "ReleaseLabl");
        misspell(copy.resolve("deploy/emr/eks-job.json"), "retryPolicyConfiguration", "retryPolicyConfigration");
        misspell(copy.resolve("deploy/kubernetes/Dockerfile"), "USER 185", "USR 185");
        misspell(copy.resolve("deploy/kubernetes/Dockerfile.spark4"), "sha256:", "sha25:");
        misspell(copy.resolve("deploy/kubernetes/Dockerfile"), "spark:3.5.6", "spark:3.5.7");
        misspell(copy.resolve("deploy/kubernetes/Dockerfile.spark4"), "scala2.13", "scala2.12");
        misspell(copy.resolve("deploy/emr/serverless-application.json"), "idleTimeoutMinutes", "idleTimeoutMinuts");
        misspell(copy.resolve("deploy/databricks/databricks.yml"), "spark_version: 17.3", "spark_versio: 17.3");
        misspell(copy.resolve("deploy/databricks/databricks.yml"), "18.x-scala2.13", "18.x-scala2.12");

        Airflow.Run check = Airflow.withoutDatabase(folder).script("check_deploy.py", copy.toString(), JAR);

        assertThat(check.code()).as(check.log()).isEqualTo(1);
        assertThat(check.log())
                .contains(
                        "spark-application.yaml: /spec/restartPolicy/onFailureRetrys is unknown",
                        "podSelecter",
                        "qlora.job.yml: ",
                        "main_class_nam",
                        "ReleaseLabl",
                        "retryPolicyConfigration",
                        "Dockerfile: ",
                        "Dockerfile.spark4: ADD",
                        "Dockerfile.spark4: its base is not of",
                        "spark-application-gpu.yaml: names no Spark 3.5.7",
                        "idleTimeoutMinuts",
                        "databricks.yml, dev-17: expected set(), found {'spark_versio'}",
                        "databricks.yml, prod-18: 18.x-scala2.12 cannot run spark-qlora-spark4.jar");
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path target = to.resolve(from.relativize(file).toString());
                Files.createDirectories(target.getParent());
                Files.copy(file, target, StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
    }

    private static void misspell(Path file, String word, String wrong) throws IOException {
        String text = Files.readString(file);
        assertThat(text).as(file.toString()).contains(word);
        Files.writeString(file, text.replace(word, wrong));
    }

    @Test
    void everyFileIsKnownToItsReaderAndEveryCommandToTheProgram(@TempDir Path folder)
            throws IOException, InterruptedException {
        Airflow.Run check = Airflow.withoutDatabase(folder).script("check_deploy.py", ROOT.toString(), JAR);

        assertThat(check.code()).as(check.log()).isZero();
        List<String> commands =
                check.log().lines().filter(line -> line.startsWith("[")).toList();
        assertThat(commands).hasSize(COMMANDS).allSatisfy(line -> {
            List<String> words = new ObjectMapper().readValue(line, new TypeReference<>() {});
            assertThat(RootCommand.call(RootCommand.commandLine().parseArgs(words.toArray(String[]::new)))
                            .usage())
                    .as(line)
                    .isEmpty();
        });
    }
}
