package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.spi.ToolProvider;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.sparkqlora.ChildJvm;
import org.sparkqlora.command.ExitCode;

/** The jar that is handed out: what is in it, and what must not be beside Spark's own jars. */
class JarIT {
    private static final Path JAR = PythonPackage.jar();

    /** Spark and Hadoop are the cluster's; of Jackson, Guava, Gson and YAML each brings a version of its own. */
    private static final List<String> NOT_OURS = List.of(
            "org/apache/spark/",
            "org/apache/hadoop/",
            "scala/",
            "com/fasterxml/",
            "com/google/common/",
            "com/google/gson/",
            "org/apache/commons/",
            "org/apache/logging/",
            "org/slf4j/",
            "org/snakeyaml/");

    /** Classes of BigDL's own, in packages of Spark for what is private there; Spark has none of these names. */
    private static final List<String> OF_BIGDL =
            List.of("org/apache/spark/sparkExtension/", "org/apache/spark/storage/BlockManagerWrapper");

    /** The size of a jar for one platform; a jar for all of them would be five times as large. */
    private static final long LARGEST = 150_000_000;

    private static Set<String> entries;

    @BeforeAll
    static void list() throws IOException {
        entries = entries(JAR);
    }

    @Test
    void holdsNoClassOfTheCluster() {
        assertThat(entries.stream()
                        .filter(name ->
                                name.endsWith(".class") && NOT_OURS.stream().anyMatch(name::startsWith))
                        .filter(name -> OF_BIGDL.stream().noneMatch(name::startsWith)))
                .isEmpty();
        assertThat(entries).contains("org/sparkqlora/shaded/gson/Gson.class");
    }

    @Test
    @Tag("platform")
    void sharesNoClassWithSparksOwnJars() throws IOException, InterruptedException {
        Set<String> twice = new TreeSet<>();
        int jars = 0;
        try (DirectoryStream<Path> spark =
                Files.newDirectoryStream(SparkDistribution.home().resolve("jars"), "*.jar")) {
            for (Path jar : spark) {
                Set<String> shared = entries(jar);
                shared.retainAll(entries);
                shared.removeIf(name -> !name.endsWith(".class"));
                twice.addAll(shared);
                jars++;
            }
        }

        assertThat(jars).isGreaterThan(200);
        assertThat(twice).isEmpty();
    }

    /** A library whose own needs came in Spark's scope would be renamed, and they would not be there. */
    @Test
    void everyRenamedClassThatIsAskedForIsThere() {
        ToolProvider jdeps = ToolProvider.findFirst("jdeps").orElseThrow();
        StringWriter missing = new StringWriter();
        StringWriter problems = new StringWriter();

        int code = jdeps.run(
                new PrintWriter(missing),
                new PrintWriter(problems),
                "--multi-release",
                "17",
                "--missing-deps",
                JAR.toString());

        assertThat(code).as(problems.toString()).isZero();
        assertThat(missing.toString()).contains("org.apache.spark."); // it does list what is not in the jar
        assertThat(missing.toString().lines().filter(line -> line.contains("-> org.sparkqlora.")))
                .isEmpty();
    }

    @Test
    void startsAndLoadsWithoutAnyOtherFile() throws IOException {
        try (JarFile jar = new JarFile(JAR.toFile())) {
            assertThat(jar.getManifest().getMainAttributes().getValue("Main-Class"))
                    .isEqualTo(Main.class.getName());
        }

        String platform = org.bytedeco.javacpp.Loader.getPlatform();
        assertThat(entries.stream().filter(name -> name.contains("/" + platform + "/")))
                .anyMatch(name -> name.contains("torch_cpu"))
                .anyMatch(name -> name.contains("openblas"));
        assertThat(Files.size(JAR)).isLessThan(LARGEST);
    }

    @Test
    void withoutSparkItSaysInOneLineHowToStart() throws IOException, InterruptedException {
        Process process = new ProcessBuilder(ChildJvm.program(), "-jar", JAR.toString(), "demo")
                .redirectErrorStream(true)
                .start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(process.waitFor()).isEqualTo(ExitCode.USAGE.code());
        assertThat(printed.lines()).singleElement(STRING).contains("spark-submit spark-qlora.jar COMMAND");
    }

    /** A time of its building would make each build differ; what comes from other jars keeps the time that it had there. */
    @Test
    void ourClassesBearTheTimeThatTheBuildNames() throws IOException {
        try (JarFile jar = new JarFile(JAR.toFile())) {
            assertThat(jar.stream()
                            .filter(entry -> entry.getName().startsWith("org/sparkqlora/")
                                    && !entry.getName().startsWith("org/sparkqlora/shaded/"))
                            .map(ZipEntry::getTimeLocal)
                            .distinct())
                    .containsExactly(LocalDateTime.of(2026, 1, 1, 0, 0));
        }
    }

    private static Set<String> entries(Path jar) throws IOException {
        Set<String> names = new HashSet<>();
        try (JarFile file = new JarFile(jar.toFile())) {
            file.stream().map(ZipEntry::getName).forEach(names::add);
        }

        return names;
    }
}
