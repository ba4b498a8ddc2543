package org.sparkqlora.command.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class ForkedJvmTest {
    private static final String SECRET = "spark.hadoop.fs.s3a.secret.key";

    @Test
    void settingsOfSparkReachItOutOfSightOfOtherUsers() throws IOException, InterruptedException {
        System.setProperty(SECRET, "wJalr=XUtn\\FEMI öä\n2");
        try (ForkedJvm jvm =
                ForkedJvm.start(Teller.class, List.of(SECRET, "spark.master"), Map.of("spark.master", "local[3]"))) {
            String told = new String(jvm.process().getInputStream().readAllBytes(), StandardCharsets.UTF_8);

            assertThat(jvm.process().waitFor()).isZero();
            assertThat(told).startsWith("wJalr=XUtn\\FEMI öä\n2\nlocal[3]\n");
            assertThat(told.substring(told.indexOf("local[3]\n")))
                    .contains(Teller.class.getName())
                    .doesNotContain("wJalr");
        } finally {
            System.clearProperty(SECRET);
        }
    }

    @Test
    void itEndsWithTheProcessThatStartedIt() throws IOException, InterruptedException, ExecutionException {
        try (ForkedJvm parent = ForkedJvm.start(Parent.class, List.of(), Map.of());
                BufferedReader told = parent.process().inputReader(StandardCharsets.UTF_8)) {
            ProcessHandle child =
                    ProcessHandle.of(Long.parseLong(told.readLine())).orElseThrow();
            assertThat(child.isAlive()).isTrue();

            parent.process().destroyForcibly(); // SIGKILL, which it cannot pass on

            child.onExit().get();
            assertThat(child.isAlive()).isFalse();
        }
    }

    /** Tells settings, and then the command line as other users see it. */
    static final class Teller {
        private Teller() {}

        public static void main(String[] names) throws IOException {
            ForkedJvm.begin(() -> System.exit(1));
            for (String name : names) {
                System.out.write((System.getProperty(name) + "\n").getBytes(StandardCharsets.UTF_8));
            }

            System.out.write(Files.readAllBytes(Path.of("/proc/self/cmdline")));
            System.out.flush();
        }
    }

    /** Starts another and tells its number. */
    static final class Parent {
        private Parent() {}

        public static void main(String[] arguments) throws IOException, InterruptedException {
            ForkedJvm.begin(() -> System.exit(1));
            try (ForkedJvm child = ForkedJvm.start(Sleeper.class, List.of(), Map.of())) {
                child.process().getInputStream().read(); // until it has begun
                System.out.println(child.process().pid());
                child.process().waitFor();
            }
        }
    }

    /** Never ends by itself. */
    static final class Sleeper {
        private Sleeper() {}

        public static void main(String[] arguments) throws InterruptedException {
            ForkedJvm.begin(() -> System.exit(1));
            System.out.println("begun");
            Thread.sleep(Long.MAX_VALUE);
        }
    }
}
