//! A function's binary, started as Lambda starts it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::process::{Child, Command};

use super::server::{InvokeError, RuntimeApi};

/// How long a function may take to start or to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why a function could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartFunctionError {
    /// No loopback port for the Runtime API.
    #[error("the runtime API could not be started")]
    RuntimeApi(#[source] io::Error),
    /// The binary cannot be run.
    #[error("{binary} could not be started")]
    Spawn {
        /// Which.
        binary: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It failed before it asked for work.
    #[error("{binary} did not initialise")]
    Init {
        /// Which.
        binary: PathBuf,
        /// Why.
        source: InvokeError,
    },
}

/// A running function. Dropping it kills the process.
#[derive(Debug)]
pub struct Function {
    api: RuntimeApi,
    child: Child,
    output: File,
}

impl Function {
    /// Starts a binary with exactly these environment variables and what Lambda itself sets, and waits until it asks
    /// for work.
    ///
    /// # Errors
    /// When it cannot be started or does not get that far.
    pub async fn start(
        binary: &Path,
        variables: &[(&str, &str)],
    ) -> Result<Self, StartFunctionError> {
        let api = RuntimeApi::start().await.map_err(StartFunctionError::RuntimeApi)?;
        let failed = |source| StartFunctionError::Spawn { binary: binary.to_owned(), source };
        let output = tempfile::tempfile().map_err(failed)?;
        let (stdout, stderr) = (output.try_clone(), output.try_clone());
        let name = binary.file_stem().unwrap_or_default();
        let child = Command::new(binary)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api.address().to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/local")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "local")
            .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "local")
            .env("AWS_SECRET_ACCESS_KEY", "local")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::from(stdout.map_err(failed)?))
            .stderr(Stdio::from(stderr.map_err(failed)?))
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let mut function = Self { api, child, output };
        let ready = tokio::select! {
            ready = function.api.ready(PATIENCE) => ready,
            status = function.child.wait() => Err(function.exited(status)),
        };
        match ready {
            Ok(()) => Ok(function),
            Err(source) => Err(StartFunctionError::Init { binary: binary.to_owned(), source }),
        }
    }

    /// The process.
    pub fn process_id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Hands an event to the function and waits for its answer.
    ///
    /// # Errors
    /// When the function fails, dies, or does not answer in time.
    pub async fn invoke(&mut self, event: &Value) -> Result<Value, InvokeError> {
        let status = tokio::select! {
            answer = self.api.invoke(event, PATIENCE) => return answer,
            status = self.child.wait() => status,
        };
        Err(self.exited(status))
    }

    /// What the function has written so far, its logs and metrics: both of its outputs, in order.
    ///
    /// # Errors
    /// When the captured output cannot be read.
    pub fn output(&self) -> io::Result<String> {
        let length = usize::try_from(self.output.metadata()?.len()).unwrap_or(usize::MAX);
        let mut said = vec![0; length];
        // By position: the process writes through the same cursor.
        self.output.read_exact_at(&mut said, 0)?;
        Ok(String::from_utf8_lossy(&said).into_owned())
    }

    fn exited(&self, status: io::Result<ExitStatus>) -> InvokeError {
        let said = self.output().unwrap_or_default();
        InvokeError::Exited(match status {
            Ok(status) => format!("{status}; {}", said.trim()),
            Err(error) => error.to_string(),
        })
    }
}
