package org.sparkqlora;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Java processes of tests: with this one's class path and flags, without its agents, and quick to start. */
public final class ChildJvm {
    /** A flag for one that computes in bfloat16 or 4 bits: vectors want the second compiler. */
    public static final String VECTORS = "-XX:TieredStopAtLevel=4";

    /** Most of them end before the second compiler is done. */
    private static final List<String> QUICK = List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC");

    private ChildJvm() {}

    public static List<String> command(List<String> flags, Class<?> main, List<String> arguments) {
        return Stream.of(
                        List.of(Path.of(System.getProperty("java.home"), "bin", "java")
                                .toString()),
                        flags(),
                        flags,
                        List.of("-cp", System.getProperty("java.class.path"), main.getName()),
                        arguments)
                .flatMap(List::stream)
                .toList();
    }

    public static List<String> flags() {
        Stream<String> own = ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(flag -> !flag.startsWith("-javaagent:") && !flag.startsWith("-agentlib:"));
        return Stream.concat(own, QUICK.stream()).toList();
    }
}
