use tracing_subscriber::EnvFilter;

/// Begins to write traces to stderr, if they are wanted.
///
/// The environment has no say in it: the SDK's own traces show whole requests, and with them user
/// data.
pub(super) fn begin(verbose: u8) {
    let wanted = match verbose {
        0 => return,
        1 => "bluegreen=debug,bluegreen_core=debug,bluegreen_aws=debug,aws_config=info",
        _ => "bluegreen=trace,bluegreen_core=trace,bluegreen_aws=trace,aws_config=debug",
    };
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(wanted))
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
}
