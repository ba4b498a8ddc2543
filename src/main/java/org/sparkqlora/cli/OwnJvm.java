package org.sparkqlora.cli;

import java.lang.management.ManagementFactory;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A JVM started as this one was: same flags, same code, same settings of Spark. */
final class OwnJvm {
    private static final String SPARK = "spark.";

    private OwnJvm() {}

    /**
     * The command that runs {@code main} in it.
     *
     * @param settings of Spark that replace those of this JVM
     */
    static List<String> command(Class<?> main, List<String> arguments, Map<String, String> settings) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(argument -> !argument.startsWith("-javaagent:") && !argument.startsWith("-agentlib:"))
                .filter(argument -> !argument.startsWith("-D" + SPARK))
                .forEach(command::add);
        command.addAll(sparkSettings(settings));
        command.add("-cp");
        command.add(ownCode() + System.getProperty("path.separator") + System.getProperty("java.class.path"));
        command.add(main.getName());
        command.addAll(arguments);
        return command;
    }

    /** spark-submit sets them in the process that it has already started. */
    private static List<String> sparkSettings(Map<String, String> replacing) {
        Map<String, String> settings = new TreeMap<>();
        System.getProperties().stringPropertyNames().stream()
                .filter(name -> name.startsWith(SPARK))
                .forEach(name -> settings.put(name, System.getProperty(name)));
        settings.putAll(replacing);
        return settings.entrySet().stream()
                .map(setting -> "-D%s=%s".formatted(setting.getKey(), setting.getValue()))
                .toList();
    }

    /** The jar that spark-submit loads is not on Java's class path. */
    private static Path ownCode() {
        try {
            return Path.of(OwnJvm.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException("Cannot find the code of this program", e);
        }
    }
}
