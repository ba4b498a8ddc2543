package org.sparkqlora.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.yarn.conf.YarnConfiguration;
import org.apache.hadoop.yarn.server.nodemanager.NodeManager;
import org.apache.hadoop.yarn.server.resourcemanager.ResourceManager;

/**
 * YARN with one node, in this process; containers are processes of their own. Its own mini cluster would do the same, but wants
 * JUnit 4.
 */
final class YarnNode implements AutoCloseable {
    private static final List<String> ADDRESSES = List.of(
            YarnConfiguration.RM_ADDRESS,
            YarnConfiguration.RM_SCHEDULER_ADDRESS,
            YarnConfiguration.RM_RESOURCE_TRACKER_ADDRESS,
            YarnConfiguration.RM_ADMIN_ADDRESS,
            YarnConfiguration.RM_WEBAPP_ADDRESS,
            YarnConfiguration.NM_ADDRESS,
            YarnConfiguration.NM_LOCALIZER_ADDRESS,
            YarnConfiguration.NM_WEBAPP_ADDRESS);

    private final ResourceManager resources = new ResourceManager();
    private final NodeManager node = new NodeManager();

    private YarnNode() {}

    /** A node of {@code memoryMebi}, of which a container takes whole gibibytes, that writes below {@code folder}. */
    static YarnNode start(Path folder, int memoryMebi) {
        YarnConfiguration configuration = new YarnConfiguration();
        ADDRESSES.forEach(address -> configuration.set(address, "127.0.0.1:0"));
        configuration.set(
                YarnConfiguration.NM_LOCAL_DIRS, folder.resolve("local").toString());
        configuration.set(YarnConfiguration.NM_LOG_DIRS, folder.resolve("logs").toString());
        configuration.setInt(YarnConfiguration.NM_PMEM_MB, memoryMebi);
        configuration.setBoolean(YarnConfiguration.NM_PMEM_CHECK_ENABLED, false);
        configuration.setBoolean(YarnConfiguration.NM_VMEM_CHECK_ENABLED, false);
        configuration.setFloat(YarnConfiguration.NM_MAX_PER_DISK_UTILIZATION_PERCENTAGE, 99.5f);
        configuration.set("yarn.scheduler.capacity.maximum-am-resource-percent", "0.8");
        configuration.set("yarn.scheduler.capacity.root.queues", "default");
        configuration.set("yarn.scheduler.capacity.root.default.capacity", "100");
        YarnNode yarn = new YarnNode();
        yarn.resources.init(configuration);
        yarn.resources.start();
        yarn.node.init(new YarnConfiguration(yarn.resources.getConfig()));
        yarn.node.start();
        return yarn;
    }

    /** The configuration by which a client finds it. */
    Map<String, String> settings() {
        Configuration configuration = resources.getConfig();
        Map<String, String> settings = new TreeMap<>();
        configuration.forEach(entry -> {
            if (entry.getKey().startsWith("yarn.")) {
                settings.put(entry.getKey(), entry.getValue());
            }
        });
        return settings;
    }

    @Override
    public void close() {
        node.stop();
        resources.stop();
    }
}
