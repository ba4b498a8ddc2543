package org.sparkqlora;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Java processes of tests: with this one's class path and flags, without its agents, and quick to start. */
public final class ChildJvm {
    /**
     * Of processes that end before the second compiler is done, or compute little: the first compiler alone, and so the scalar twins of kernels.
     */
    public static final List<String> QUICK = List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC");

    private ChildJvm() {}

    public static List<String> command(List<String> flags, Class<?> main, List<String> arguments) {
        return Stream.of(
                        List.of(program()),
                        flags(),
                        ChildArchive.flags(),
                        flags,
                        List.of("-cp", ChildArchive.classPath(), main.getName()),
                        arguments)
                .flatMap(List::stream)
                .toList();
    }

    /** The program that runs this process. */
    public static String program() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    public static List<String> flags() {
        Stream<String> own = ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(flag -> !flag.startsWith("-javaagent:") && !flag.startsWith("-agentlib:"));
        return Stream.concat(own, QUICK.stream()).toList();
    }
}
