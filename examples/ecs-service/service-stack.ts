import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import {
  Cluster,
  ContainerImage,
  FargateService,
  FargateTaskDefinition,
  LogDrivers,
  Secret,
} from 'aws-cdk-lib/aws-ecs';
import { SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import { DefinitionBody, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { CallAwsService } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { CertificateRenewal } from 'cdk-perennial';
import type { Construct } from 'constructs';

export interface ServiceStackProps extends StackProps {
  /** Name of the certificate. */
  readonly certificate: string;
  /** Value of `secretPrefix` in the stack that renews the certificate. @default 'certificates/' */
  readonly secretPrefix?: string;
}

/** Command of the container. It writes the certificate and the key from ECS into memory and starts nginx with them. */
const start = `umask 077
printf %s "$TLS_CERTIFICATE" > /dev/shm/tls.crt
printf %s "$TLS_KEY" > /dev/shm/tls.key
unset TLS_CERTIFICATE TLS_KEY
cat > /etc/nginx/conf.d/default.conf <<'END'
server {
  listen 443 ssl;
  ssl_certificate /dev/shm/tls.crt;
  ssl_certificate_key /dev/shm/tls.key;
  location / { return 200 "hello\\n"; }
}
END
exec nginx -g 'daemon off;'`;

/** A service on Fargate that terminates TLS itself and gets new tasks after each renewal. */
export class ServiceStack extends Stack {
  constructor(
    scope: Construct,
    id: string,
    { certificate, secretPrefix = 'certificates/', ...props }: ServiceStackProps,
  ) {
    super(scope, id, props);
    const certificates = CertificateRenewal.fromPrefix(this, 'Certificates', { secretPrefix });
    /** Returns one member of the secret's JSON value, which ECS reads when a task starts. */
    const member = (name: string) => Secret.fromSecretsManager(certificates.secret(certificate), name);

    const cluster = new Cluster(this, 'Cluster', { vpc: new Vpc(this, 'Vpc', { maxAzs: 2, natGateways: 1 }) });
    const taskDefinition = new FargateTaskDefinition(this, 'Task');
    taskDefinition.addContainer('Web', {
      image: ContainerImage.fromRegistry('public.ecr.aws/nginx/nginx:stable'),
      command: ['sh', '-c', start],
      secrets: { TLS_CERTIFICATE: member('fullChain'), TLS_KEY: member('privateKey') },
      portMappings: [{ containerPort: 443 }],
      logging: LogDrivers.awsLogs({ streamPrefix: 'web' }),
    });
    const service = new FargateService(this, 'Service', {
      cluster,
      taskDefinition,
      desiredCount: 2,
      minHealthyPercent: 100,
      circuitBreaker: { rollback: true },
    });

    // New tasks read the new certificate, and the old tasks serve until the new ones run. This needs no Lambda function.
    const restart = new StateMachine(this, 'Restart', {
      stateMachineType: StateMachineType.EXPRESS,
      definitionBody: DefinitionBody.fromChainable(
        CallAwsService.jsonata(this, 'Force a new deployment', {
          service: 'ecs',
          action: 'updateService',
          parameters: { Cluster: cluster.clusterArn, Service: service.serviceArn, ForceNewDeployment: true },
          iamResources: [service.serviceArn],
        }),
      ),
    });
    certificates.onRenewed('Renewed', { certificate, target: new SfnStateMachine(restart) });

    new CfnOutput(this, 'ServiceArn', { value: service.serviceArn });
  }
}
