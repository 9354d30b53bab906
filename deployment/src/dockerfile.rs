//! What a Dockerfile says of the image that it makes.

/// The instructions that matter here.
#[derive(Debug, Default)]
pub(crate) struct Dockerfile {
    /// The images that stages begin with, in their order.
    pub(crate) from: Vec<String>,
    /// What is run while it is built.
    pub(crate) run: Vec<String>,
    /// What comes into the last stage.
    pub(crate) copy: Vec<String>,
    pub(crate) user: String,
    pub(crate) expose: Vec<u16>,
    pub(crate) entrypoint: Vec<String>,
    pub(crate) cmd: Vec<String>,
}

impl Dockerfile {
    /// Reads one.
    ///
    /// # Errors
    ///
    /// An instruction that is not known here, or a port that is none.
    pub(crate) fn read(text: &str) -> Result<Dockerfile, String> {
        let mut file = Dockerfile::default();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (instruction, rest) =
                line.split_once(' ').ok_or_else(|| format!("Dockerfile: {line}: what of it?"))?;
            let list = || {
                serde_json::from_str::<Vec<String>>(rest).map_err(|error| {
                    format!("Dockerfile: {line}: {error}; write [\"...\"], since there is no shell")
                })
            };
            match instruction {
                "FROM" => {
                    file.from.push(rest.to_owned());
                    file.copy.clear();
                }
                "RUN" => file.run.push(rest.to_owned()),
                "COPY" => file.copy.push(rest.to_owned()),
                "USER" => rest.clone_into(&mut file.user),
                "EXPOSE" => {
                    for port in rest.split(' ') {
                        let port =
                            port.parse().map_err(|_| format!("Dockerfile: {line}: {port} is no port"))?;
                        file.expose.push(port);
                    }
                }
                "ENTRYPOINT" => file.entrypoint = list()?,
                "CMD" => file.cmd = list()?,
                "WORKDIR" => {}
                _ => return Err(format!("Dockerfile: {instruction}: nothing here knows what it does")),
            }
        }
        Ok(file)
    }
}
